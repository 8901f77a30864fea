package main

import (
	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
)

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Long:  "completion prints the script that makes a shell complete resnext's command line.\nSHELL is " + cli.Shells + ".",
		Example: `  resnext completion bash |
    sudo tee /usr/share/bash-completion/completions/resnext
  resnext completion fish >~/.config/fish/completions/resnext.fish`,
		Args: cli.Args(1, 1, "a shell"),
		RunE: func(c *cobra.Command, args []string) error { return cli.Complete(c, args[0]) },
	}
}
