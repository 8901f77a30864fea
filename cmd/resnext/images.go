package main

import (
	"fmt"
	"image"
	"io"
	"os"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
)

// stdinName stands for standard input on the command line.
const stdinName = "-"

// imageInput is what one argument of classify or embed stands for. Several goroutines may load images.
type imageInput interface {
	count() int
	// name is the display name of image i, 0 <= i < count.
	name(i int) string
	load(i int) (image.Image, error)
	close()
}

// openInputs opens every argument; the errors are those of arguments that stand for no image.
func openInputs(args []string, stdin io.Reader) (all []imageInput, failed []error) {
	for _, arg := range args {
		if arg == stdinName {
			all = append(all, standardInput{stdin})
			continue
		}
		set, err := images.Open(arg)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		all = append(all, newInputSet(arg, set))
	}
	return all, failed
}

// withInputs opens every argument and calls use with those that stand for images. The others are reported, and then the
// error is cli.ErrReported at best.
func withInputs(args []string, stdin io.Reader, stderr io.Writer, use func([]imageInput) error) error {
	inputs, failed := openInputs(args, stdin)
	defer closeInputs(inputs)
	for _, err := range failed {
		cli.Report(stderr, tool, err)
	}
	if err := use(inputs); err != nil {
		return err
	}
	if len(failed) > 0 {
		return cli.ErrReported
	}
	return nil
}

func closeInputs(all []imageInput) {
	for _, p := range all {
		p.close()
	}
}

// inputSet is a file, a folder or an archive.
type inputSet struct {
	set    *images.Set
	arg    string
	single bool // arg is the image itself
}

func newInputSet(arg string, set *images.Set) inputSet {
	info, err := os.Stat(arg)
	single := err == nil && !info.IsDir() && set.Len() == 1 && set.Item(0).Name == info.Name()
	return inputSet{set, arg, single}
}

func (p inputSet) count() int { return p.set.Len() }

func (p inputSet) name(i int) string {
	if p.single {
		return p.arg
	}
	path := p.set.Path() // of an IDX file in a folder, that of the file
	if os.IsPathSeparator(path[len(path)-1]) {
		return path + p.set.Item(i).Name
	}
	return path + "/" + p.set.Item(i).Name
}

func (p inputSet) load(i int) (image.Image, error) { return p.set.Load(i) }

func (p inputSet) close() { _ = p.set.Close() }

// nameError puts an image's name before an error.
func nameError(name string, err error) error {
	return fmt.Errorf("%s: %w", cli.Printable(name), cli.Plain(err))
}
