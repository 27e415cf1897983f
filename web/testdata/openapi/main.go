// Command openapi prints the document of the API as a server gives it, for make lint-openapi.
package main

import (
	"os"

	"github.com/dayone-hq/dayone/web"
)

func main() {
	if _, err := os.Stdout.Write(web.Document()); err != nil {
		os.Exit(1)
	}
}
