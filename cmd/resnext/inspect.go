package main

import (
	"encoding/json"
	"io"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/safetensors"
	"github.com/libresnext/libresnext/resnext"
)

const aboutInspect = `inspect shows what a model file holds: the network, how images are prepared for
it, its labels, how it was calibrated, and what it needs on this machine.

acc16 depth: on some CPUs several products are summed in 16 bits before they go
to 32, which is faster. The loader does so only where the weights prove that no
sum can overflow; inspect shows which share of the work runs at which depth, in
products.`

func inspectCommand() *cobra.Command {
	var asJSON, layers bool
	var kernels string
	c := &cobra.Command{
		Use:   "inspect [options] M",
		Short: "Show what a model file holds",
		Long:  aboutInspect,
		Args:  cli.Args(1, 1, "a model"),
		RunE: func(c *cobra.Command, args []string) error {
			r, err := inspect(args[0], kernels, c.ErrOrStderr())
			if err != nil {
				return err
			}
			if asJSON {
				if !layers {
					r.Layers = nil
				}
				return printJSON(c.OutOrStdout(), r)
			}
			r.print(c.OutOrStdout(), layers)
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&layers, "layers", false, "list every layer")
	c.Flags().StringVar(&kernels, "kernels", "auto", "`NAME` of the kernel set to prepare for")
	return c
}

// inspection is what inspect finds, and the object of --json.
type inspection struct {
	Model         string             `json:"model"`
	FileBytes     int64              `json:"file_bytes"`
	FormatVersion string             `json:"format_version"`
	Checksum      string             `json:"checksum"`
	Arch          string             `json:"arch"`
	Config        json.RawMessage    `json:"config"` // as the model file has it
	Preprocess    resnext.Preprocess `json:"preprocess"`
	Parameters    int                `json:"parameters"`
	MACs          int64              `json:"macs"`
	Labels        []string           `json:"labels"`
	Calibration   map[string]string  `json:"calibration"`
	Kernels       string             `json:"kernels"`
	PackedBytes   int                `json:"packed_bytes"`
	ArenaBytes    int                `json:"arena_bytes"`
	Depths        []depthShare       `json:"chains"`
	Layers        []layerRow         `json:"layers,omitempty"`

	network resnext.Config
}

// depthShare is the share (0 to 1) of the convolutions' work that runs at an acc16 depth of so many products; 0
// are the kernels that need no proof.
type depthShare struct {
	Products int     `json:"products"`
	Share    float64 `json:"share"`
}

type layerRow struct {
	Name   string       `json:"name"`
	In     int          `json:"in"`
	Out    int          `json:"out"`
	Kernel int          `json:"kernel"`
	Stride int          `json:"stride"`
	Groups int          `json:"groups"`
	OutH   int          `json:"out_height"`
	OutW   int          `json:"out_width"`
	MACs   int64        `json:"macs"`
	Bytes  int          `json:"bytes"`
	Scale  float32      `json:"scale"`
	Depths []depthShare `json:"chains"`
}

func inspect(path, kernels string, stderr io.Writer) (*inspection, error) {
	m, err := openModel(path, kernels, stderr)
	if err != nil {
		return nil, err
	}
	session, err := m.NewSession(resnext.SessionOptions{Threads: 1})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	cfg := m.Config()
	config, _, err := cfg.Encode()
	if err != nil {
		return nil, err
	}
	r := &inspection{
		Model: path, Arch: cli.ArchName(cfg), Config: json.RawMessage(config), network: cfg, Preprocess: m.Preprocess(),
		Parameters: cli.Parameters(cfg), MACs: cfg.MACs(), Labels: m.Labels(), Calibration: m.Calibration(),
		Kernels: m.Kernels(), PackedBytes: m.PackedBytes(), ArenaBytes: session.ArenaBytes(),
	}
	for _, l := range m.Layers() {
		s := l.Shape
		r.Layers = append(r.Layers, layerRow{
			Name: s.Name, In: s.In, Out: s.Out, Kernel: s.Kernel, Stride: s.Stride, Groups: s.Groups,
			OutH: s.OutH, OutW: s.OutW, MACs: s.MACs(), Bytes: l.Bytes, Scale: l.Scale, Depths: shares(l.MACsByDepth),
		})
	}
	r.Depths = modelDepths(m)
	return r, r.file(path)
}

// file adds what the model does not know of its file.
func (r *inspection) file(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	r.FileBytes = info.Size()
	r.FormatVersion = f.Metadata()["format_version"]
	r.Checksum = f.Metadata()[safetensors.ChecksumKey]
	return nil
}

// modelDepths gives the shares of all convolutions together.
func modelDepths(m *resnext.Model) []depthShare {
	total := map[int]int64{}
	for _, l := range m.Layers() {
		for products, n := range l.MACsByDepth {
			total[products] += n
		}
	}
	return shares(total)
}

// shares turns counts by acc16 depth into shares, smallest depth first.
func shares(counts map[int]int64) []depthShare {
	var total int64
	for _, n := range counts {
		total += n
	}
	list := make([]depthShare, 0, len(counts))
	for _, products := range slices.Sorted(maps.Keys(counts)) {
		list = append(list, depthShare{products, float64(counts[products]) / float64(max(1, total))})
	}
	return list
}
