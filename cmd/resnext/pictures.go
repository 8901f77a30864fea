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

// pictures are what one argument of classify stands for.
type pictures interface {
	count() int
	// name is what people call picture i, 0 <= i < count.
	name(i int) string
	load(i int) (image.Image, error)
	close()
}

// openPictures opens every argument; the errors are those of arguments that stand for no picture.
func openPictures(args []string, stdin io.Reader) (all []pictures, failed []error) {
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
		all = append(all, newPictureSet(arg, set))
	}
	return all, failed
}

func closePictures(all []pictures) {
	for _, p := range all {
		p.close()
	}
}

// pictureSet is a file, a folder or an archive.
type pictureSet struct {
	set    *images.Set
	arg    string
	single bool // arg is the picture itself
}

func newPictureSet(arg string, set *images.Set) pictureSet {
	info, err := os.Stat(arg)
	single := err == nil && !info.IsDir() && set.Len() == 1 && set.Item(0).Name == info.Name()
	return pictureSet{set, arg, single}
}

func (p pictureSet) count() int { return p.set.Len() }

func (p pictureSet) name(i int) string {
	if p.single {
		return p.arg
	}
	path := p.set.Path() // of an IDX file in a folder, that of the file
	if os.IsPathSeparator(path[len(path)-1]) {
		return path + p.set.Item(i).Name
	}
	return path + "/" + p.set.Item(i).Name
}

func (p pictureSet) load(i int) (image.Image, error) { return p.set.Load(i) }

func (p pictureSet) close() { _ = p.set.Close() }

// nameError puts a picture's name before an error.
func nameError(name string, err error) error {
	return fmt.Errorf("%s: %w", cli.Printable(name), cli.Plain(err))
}
