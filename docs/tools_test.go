// Package docs holds no code, only the tests of what the documents say.
package docs

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// tools is a folder with calib and resnext, made when a test first wants one.
var tools struct {
	once   sync.Once
	folder string
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if tools.folder != "" {
		os.RemoveAll(tools.folder)
	}
	os.Exit(code)
}

// tool is the path of calib or resnext.
func tool(t *testing.T, name string) string {
	tools.once.Do(func() {
		if tools.folder, tools.err = os.MkdirTemp("", "docs"); tools.err != nil {
			return
		}
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", tools.folder, "./cmd/...")
		cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			tools.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	require.NoError(t, tools.err)
	return filepath.Join(tools.folder, name)
}
