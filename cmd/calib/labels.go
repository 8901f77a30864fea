package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
)

// decideLabels names the classes: by --labels, else by the folders of --eval, else by those of --images if
// there are as many as classes.
func (p *plan) decideLabels(calibration, eval *images.Set) error {
	classes := p.net.Config.Classes
	if eval != nil {
		if err := checkFolders(eval, classes); err != nil {
			return err
		}
	}
	switch {
	case p.settings.labels != "":
		labels, err := images.ReadLabels(p.settings.labels)
		if err != nil {
			return err
		}
		if len(labels) != classes {
			return fmt.Errorf("%s: it has %s, the network has %s: give one line for each class, in the order of training",
				p.settings.labels, cli.Plural(len(labels), "label"), cli.Plural(classes, "class"))
		}
		p.labels, p.labelSource = labels, p.settings.labels
	case eval != nil:
		p.labels, p.labelSource = folderLabels(eval), "the folders of "+eval.Path()
	case calibration != nil && len(calibration.Labels()) == classes:
		p.labels, p.labelSource = folderLabels(calibration), "the folders of "+calibration.Path()
	}
	return nil
}

// checkFolders wants one folder for each class and every picture in one of them.
func checkFolders(eval *images.Set, classes int) error {
	if n := len(eval.Labels()); n != classes {
		return fmt.Errorf("%s: it has %s of pictures, the network has %s: give one folder for each class, sorted as in training",
			eval.Path(), cli.Plural(n, "folder"), cli.Plural(classes, "class"))
	}
	for i := range eval.Len() {
		if item := eval.Item(i); item.Label == "" {
			return fmt.Errorf("%s: %s is in no class's folder: move it to one or remove it", eval.Path(), item.Name)
		}
	}
	return nil
}

// folderLabels are the names of the folders. Names that begin with the number of their class, as in
// 3_dress, lose it; it is only there for sorting.
func folderLabels(set *images.Set) []string {
	folders := set.Labels()
	labels := make([]string, len(folders))
	for class, folder := range folders {
		number, name, ok := strings.Cut(folder, "_")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n != class || name == "" {
			return folders
		}
		labels[class] = name
	}
	return labels
}
