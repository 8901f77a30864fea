package cli

import (
	"strings"

	"github.com/spf13/cobra"
)

// usageTemplate is what follows a command's description in its help.
const usageTemplate = `Usage:
  {{.UseLine}}
{{- if .HasAvailableSubCommands}}

Commands:
{{- range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{- end}}
{{- if .HasAvailableLocalFlags}}

Options:
{{.LocalFlags.FlagUsagesWrapped 80 | trimTrailingWhitespaces}}
{{- end}}
{{- if .HasExample}}

Examples:
{{.Example}}
{{- end}}
{{- if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" explains a command.
{{- end}}
`

// setUp gives a command tree the tools' manners: usage errors are of their own kind, errors do not print the
// help, and help fits 80 columns.
func setUp(root *cobra.Command) {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.SuggestionsMinimumDistance = 2
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageTemplate(usageTemplate)
	root.DisableFlagsInUseLine = true
	for _, c := range root.Commands() {
		c.DisableFlagsInUseLine = true
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		text, _, _ := strings.Cut(err.Error(), ": strconv.") // what a Go function said means nothing here
		return Usage("%s: %s", text, seeHelp(c))
	})
	if root.HasSubCommands() && root.RunE == nil {
		root.Args, root.RunE = commandNeeded, func(c *cobra.Command, _ []string) error {
			c.SetOut(c.ErrOrStderr())
			_ = c.Help()
			return Usage("no command given")
		}
	}
	if root.HasSubCommands() {
		root.SetHelpCommand(helpCommand())
	}
}

func seeHelp(c *cobra.Command) string { return `see "` + c.CommandPath() + ` --help"` }

// commandNeeded refuses what is no command.
func commandNeeded(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return Usage("unknown command %q: did you mean %s? %s", args[0], strings.Join(near, " or "), seeHelp(c))
	}
	return Usage("unknown command %q: %s", args[0], seeHelp(c))
}

func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "help [command]",
		Short: "Explain a command",
		RunE: func(c *cobra.Command, args []string) error {
			root := c.Root()
			about, rest, err := root.Find(args)
			if err != nil || len(rest) > 0 {
				return commandNeeded(root, args)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// Args checks the number of arguments: at least least, at most most (no limit if negative). what names them.
func Args(least, most int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) < least {
			return Usage("%s is missing: %s", what, seeHelp(c))
		}
		if most >= 0 && len(args) > most {
			return Usage("unexpected argument %q: %s", args[most], seeHelp(c))
		}
		return nil
	}
}
