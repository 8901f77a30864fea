package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cli.Args(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			fmt.Fprintf(c.OutOrStdout(), "resnext %s %s/%s %s\n", resnext.Version, runtime.GOOS, runtime.GOARCH, runtime.Version())
			return nil
		},
	}
}
