package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/libresnext/libresnext/internal/images"
)

// ImageMemory adds the flag --image-memory of tools that read images, see [images.SetMemory].
func ImageMemory(f *pflag.FlagSet) {
	usage := fmt.Sprintf("take at most `MB` megabytes of memory to read images (default %d)", images.DefaultMemory>>20)
	Megabytes(f, "image-memory", usage, images.SetMemory)
}

// Megabytes adds an option that takes a number of megabytes; set is called with the bytes.
func Megabytes(f *pflag.FlagSet, name, usage string, set func(bytes int64)) {
	const least, most = 16, 1 << 20
	f.Func(name, usage, func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("expected %d to %d megabytes", least, most)
		}
		set(int64(n) << 20)
		return nil
	})
}
