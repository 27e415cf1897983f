package main

import "github.com/spf13/cobra"

func newRun() *cobra.Command {
	c := &cobra.Command{
		Use:   "run",
		Short: "Decide about runs of the running server",
		Long: `A run is a plan being carried out. These commands speak to the server that portal.url of the configuration names, with
the token of portal.token; --portal names another server, such as a demo's.`,
	}
	c.PersistentFlags().String(portalFlag, "", "address of the server, if it is not portal.url of the configuration")
	c.AddCommand(runDecisions()...)
	return c
}
