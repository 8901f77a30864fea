package main

import (
	"fmt"
	"io"
	"runtime"
	"slices"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/asm"
	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/resnext"
)

const aboutSelftest = `selftest runs every kernel set that this CPU has: a known-answer check of each
kernel, then small built-in networks on one thread and on several. Their logits
must have the checksum that every CPU gives. It needs no model and no images.`

func selftestCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "selftest [options]",
		Short: "Check that this CPU computes right",
		Long:  aboutSelftest,
		Args:  cli.Args(0, 0, ""),
		RunE: func(c *cobra.Command, _ []string) error {
			r := selftest()
			if asJSON {
				if err := printJSON(c.OutOrStdout(), r); err != nil {
					return err
				}
			} else {
				r.print(c.OutOrStdout())
			}
			if !r.Passed {
				return fmt.Errorf("self-test failed: do not trust this CPU's answers with the sets named; RESNEXT_KERNELS chooses another")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return c
}

// selftestResult is the object of --json.
type selftestResult struct {
	Version  string        `json:"version"`
	Platform string        `json:"platform"`
	CPU      string        `json:"cpu"`
	Passed   bool          `json:"passed"`
	Sets     []selftestSet `json:"sets"`
}

type selftestSet struct {
	Kernels   string `json:"kernels"`
	Available bool   `json:"available"`
	Passed    bool   `json:"passed"`
	Error     string `json:"error,omitempty"`
}

func selftest() selftestResult {
	r := selftestResult{Version: resnext.Version, Platform: runtime.GOOS + "/" + runtime.GOARCH, CPU: cpuName()}
	err := resnext.SelfTest(func(kernels string, err error) {
		set := selftestSet{Kernels: kernels, Available: true, Passed: err == nil}
		if err != nil {
			set.Error = err.Error()
		}
		r.Sets = append(r.Sets, set)
	})
	r.Passed = err == nil
	for _, name := range asm.All() {
		if !slices.ContainsFunc(r.Sets, func(s selftestSet) bool { return s.Kernels == name }) {
			r.Sets = append(r.Sets, selftestSet{Kernels: name})
		}
	}
	return r
}

func (r selftestResult) print(w io.Writer) {
	fmt.Fprintf(w, "resnext %s on %s (%s)\n", r.Version, cli.Printable(r.CPU), r.Platform)
	t := cli.Table{}
	for _, s := range r.Sets {
		switch {
		case !s.Available:
			t.Row(s.Kernels, "not available on this CPU")
		case s.Passed:
			t.Row(s.Kernels, "ok")
		default:
			t.Row(s.Kernels, "FAILED: "+s.Error)
		}
	}
	t.Print(w)
}
