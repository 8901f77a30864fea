package cli

import (
	"fmt"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/libresnext/libresnext/internal/images"
)

// PictureMemory adds the flag --picture-memory of tools that read pictures, see [images.SetMemory].
func PictureMemory(f *pflag.FlagSet) {
	const least, most = 16, 1 << 20
	usage := fmt.Sprintf("take at most `MB` megabytes of memory to read pictures (default %d)", images.DefaultMemory>>20)
	f.Func("picture-memory", usage, func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return fmt.Errorf("expected %d to %d megabytes", least, most)
		}
		images.SetMemory(int64(n) << 20)
		return nil
	})
}
