package cli

import (
	"github.com/spf13/cobra"
)

// Shells are those that Complete knows.
const Shells = "bash, zsh or fish"

// Complete prints the script that makes a shell complete the command line of c's root.
func Complete(c *cobra.Command, shell string) error {
	root, w := c.Root(), c.OutOrStdout()
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return Usage("no completion for the shell %q, expected %s", shell, Shells)
}
