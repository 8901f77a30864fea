//go:build linux

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unitFile is what systemd runs the program by, mostExposure what "systemd-analyze security" may give it, times ten: 72
// before it was hardened.
const (
	unitFile     = "../package/raspi-live.service"
	mostExposure = "20"
)

// TestUnitFile checks the unit with systemd's own judgement, and what no judge knows: the camera, the firmware's state
// and the commands of --on must go on working.
func TestUnitFile(t *testing.T) {
	text, err := os.ReadFile(unitFile)
	require.NoError(t, err)
	set := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			set[name] = value
		}
	}
	for _, name := range []string{
		"PrivateDevices", "DevicePolicy", "DeviceAllow", "ProtectClock", "MemoryDenyWriteExecute", "ProcSubset", "PrivateNetwork",
	} {
		require.NotContains(t, set, name, "the unit file says why")
	}
	require.Equal(t, "video", set["SupplementaryGroups"])
	require.Contains(t, set["RestrictAddressFamilies"], "AF_NETLINK", "the page's addresses are asked for with it")
	require.Equal(t, "@system-service", set["SystemCallFilter"])
	require.Equal(t, "EPERM", set["SystemCallErrorNumber"], "a command that is refused something is not killed")

	_, err = exec.LookPath("systemd-analyze")
	require.NoError(t, err, "the unit file is judged by systemd: install Debian's package systemd (apt-get install systemd)")
	installed := strings.ReplaceAll(string(text), "/opt/libresnext/bin/raspi-live", made.program)
	path := filepath.Join(t.TempDir(), "raspi-live.service")
	require.NoError(t, os.WriteFile(path, []byte(installed), 0o600))
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", path).CombinedOutput()
	require.NoError(t, err, string(out))
	require.Empty(t, string(out))
	judge := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+mostExposure, path)
	out, err = judge.CombinedOutput()
	require.NoError(t, err, string(out))
}
