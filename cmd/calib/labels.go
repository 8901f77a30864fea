package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/internal/images"
	"github.com/libresnext/libresnext/resnext"
)

// decideLabels names the classes: by --labels, else by the files beside the weights, else by the folders of
// --eval, else by those of --images if there are as many as classes. It also finds the class of each of --eval's labels.
func (p *plan) decideLabels(calibration, eval *images.Set) error {
	classes := p.net.Config.Classes
	if classes == 0 {
		return nil
	}
	if err := p.readLabels(); err != nil {
		return err
	}
	p.labelsFromSidecar()
	if eval != nil {
		if err := p.decideClasses(eval); err != nil {
			return err
		}
		if p.evalClasses == nil {
			p.classOrder = unpaddedNumbers(eval)
		}
	}
	for _, set := range []*images.Set{eval, calibration} {
		if p.labels == nil && set != nil && len(set.Labels()) == classes {
			p.labels, p.labelSource = folderLabels(set), "the folders of "+set.Path()
			p.classOrder = unpaddedNumbers(set)
		}
	}
	p.cleanLabels()
	return nil
}

// cleanLabels makes labels that a model file may hold. Folders and files of others have been compared with the
// originals.
func (p *plan) cleanLabels() {
	labels := slices.Clone(p.labels)
	for i, label := range labels {
		if labels[i] = resnext.CleanLabel(label); labels[i] != label {
			p.relabelled++
		}
	}
	p.labels = labels
}

// readLabels reads the file of --labels.
func (p *plan) readLabels() error {
	path, classes := p.settings.labels, p.net.Config.Classes
	if path == "" {
		return nil
	}
	labels, err := images.ReadLabels(path)
	if err != nil {
		return err
	}
	if len(labels) != classes {
		return fmt.Errorf("%s: it has %s, the network has %s: give one line for each class, in the order of training",
			path, cli.Plural(len(labels), "label"), cli.Plural(classes, "class"))
	}
	p.labels, p.labelSource = labels, path
	return nil
}

// decideClasses sets the classes of --eval's labels.
func (p *plan) decideClasses(eval *images.Set) error {
	if eval.IDX() {
		return checkNumbers(eval, p.net.Config.Classes)
	}
	for i := range eval.Len() {
		if item := eval.Item(i); item.Label == "" && len(eval.Labels()) > 0 {
			return fmt.Errorf("%s: %s is in no class's folder: move it to one or remove it",
				eval.Path(), cli.Printable(item.Name))
		}
	}
	n, classes := len(eval.Labels()), p.net.Config.Classes
	if n > 0 && len(p.labels) > 0 {
		var err error
		if p.evalClasses, err = classesByName(eval, p.labels, p.labelSource); err != nil || p.evalClasses != nil {
			return err
		}
	}
	if eval.Single() {
		return fmt.Errorf("%s: it is a single image, which has no label: give a folder or archive with a folder of images for each class", eval.Path())
	}
	if n != classes {
		return fmt.Errorf("%s: it has %s of images, the network has %s: give one folder for each class, sorted as in training",
			eval.Path(), cli.Plural(n, "folder"), cli.Plural(classes, "class"))
	}
	return nil
}

// checkNumbers wants the labels of an IDX file to be classes.
func checkNumbers(eval *images.Set, classes int) error {
	if eval.LabelFile() == "" {
		return fmt.Errorf("%s: there is no file of labels beside it: its name must be the same with labels-idx1 for images-idx3 (and may end in .gz)", eval.Path())
	}
	wrong, first := 0, 0
	for i := range eval.Len() {
		if eval.Item(i).Class >= classes {
			if wrong == 0 {
				first = i
			}
			wrong++
		}
	}
	if wrong == 0 {
		return nil
	}
	return fmt.Errorf("%s: %d of the %s are no class of the network, which has %s (0 to %d): the first is %d, of image %d",
		eval.LabelFile(), wrong, cli.Plural(eval.Len(), "label"), cli.Plural(classes, "class"), classes-1, eval.Item(first).Class, first)
}

// code is the name of a folder that says nothing about its class: a number, or a WordNet ID as ImageNet has.
var code = regexp.MustCompile(`^(n[0-9]{8}|[0-9]+)$`)

// classesByName finds the classes of folders by the labels of source; there need not be a folder for
// each. nil stands for the order of the folders, whose names are numbered, or codes that are no labels.
func classesByName(eval *images.Set, labels []string, source string) ([]int, error) {
	folders, names := eval.Labels(), folderLabels(eval)
	byName := classNumbers(labels)
	codes := !slices.ContainsFunc(folders, func(f string) bool { return !code.MatchString(f) })
	if !codes && !slices.Equal(folders, names) {
		return nil, checkNumbering(eval, names, labels, byName, source)
	}
	classes := make([]int, len(folders))
	for i, name := range folders {
		numbers := byName[plainName(name)]
		switch {
		case len(numbers) == 1:
			classes[i] = numbers[0]
		case codes:
			return nil, nil
		case len(numbers) == 0:
			return nil, fmt.Errorf("%s: the folder %s is not among the labels of %s (%s): name folders and labels alike, or begin the folders' names with their numbers, as in 3_dress",
				eval.Path(), cli.Printable(name), source, shortList(labels))
		default:
			return nil, fmt.Errorf("%s: the folder %s may be class %d or %d of %s, which are named alike: begin the folders' names with their numbers, as in 3_dress",
				eval.Path(), cli.Printable(name), numbers[0], numbers[1], source)
		}
	}
	return classes, nil
}

// checkNumbering wants the names behind the numbers of folders to be the labels of these classes, if they are
// labels at all.
func checkNumbering(eval *images.Set, names, labels []string, byName map[string][]int, source string) error {
	for i, name := range names {
		if n := byName[plainName(name)]; len(n) > 0 && !slices.Contains(n, i) {
			return fmt.Errorf("%s: the folder %s gives its class the number %d, in %s %s is number %d: correct one of them",
				eval.Path(), cli.Printable(eval.Labels()[i]), i, source, cli.Printable(labels[n[0]]), n[0])
		}
	}
	return nil
}

// classNumbers are the classes of each name; different ones may be named alike. A label with commas, as in
// "tench, Tinca tinca", has what stands before the first as another name.
func classNumbers(labels []string) map[string][]int {
	numbers := map[string][]int{}
	for i, l := range labels {
		first, _, more := strings.Cut(l, ",")
		names := []string{plainName(l), plainName(first)}
		if !more {
			names = names[:1]
		}
		for _, name := range names {
			numbers[name] = append(numbers[name], i)
		}
	}
	return numbers
}

// plainName brings the ways to write a name to one: ankle-boot, Ankle boot.
func plainName(s string) string {
	return strings.ToLower(strings.NewReplacer("-", " ", "_", " ").Replace(s))
}

// shortList names the first of many, to be printed.
func shortList(all []string) string {
	const shown = 3
	text := strings.Join(all[:min(shown, len(all))], ", ")
	if len(all) > shown {
		text += ", ..."
	}
	return cli.Printable(text)
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
