package main

import (
	"github.com/spf13/cobra"

	"github.com/dayone-hq/dayone/web"
)

// theServer is the running one of the configuration.
func theServer(c *cobra.Command) (*web.Client, error) {
	cfg, err := configured(c)
	if err != nil {
		return nil, err
	}
	token, err := cfg.token()
	if err != nil {
		return nil, err
	}
	return &web.Client{Base: cfg.Portal.URL, Token: token}, nil
}
