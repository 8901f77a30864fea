package checkpoint

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// weightFiles are the names under which model hubs keep the weights in a model's folder, in order of
// preference.
var weightFiles = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "model.onnx"}

// Locate tells which file holds the weights of what a user names, and its format: a file, a folder of .npy
// files, or the folder of a model as it is downloaded from a hub. Formats are told apart by content.
func Locate(path string) (file, format string, err error) {
	stat, err := os.Stat(path)
	if err != nil {
		return "", "", err // *PathError: names the path
	}
	if stat.IsDir() {
		return locateFolder(path)
	}
	if !stat.Mode().IsRegular() {
		return "", "", fmt.Errorf("%s: is not a regular file; save the checkpoint to disk first", path)
	}
	fd, err := os.Open(path)
	if err != nil {
		return "", "", err
	}
	defer fd.Close()
	format, err = sniff(fd, stat.Size())
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	return path, format, nil
}

func locateFolder(path string) (file, format string, err error) {
	for _, name := range weightFiles {
		inside := filepath.Join(path, name)
		if stat, err := os.Stat(inside); err == nil && stat.Mode().IsRegular() {
			return Locate(inside)
		}
	}
	arrays, err := npyFiles(os.DirFS(path))
	if err == nil && len(arrays) == 0 {
		err = errors.New("is a folder with neither .npy files nor model.safetensors in it; give the path of a .pth, .pt, .safetensors or .onnx file")
	}
	if err != nil {
		return "", "", fmt.Errorf("%s: %w", path, err)
	}
	return path, FormatNPYFolder, nil
}
