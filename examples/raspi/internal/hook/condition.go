// Package hook runs commands when the camera sees something.
package hook

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// margin is how far a probability must go back beyond its threshold before the same hook can run again.
const margin = 0.1

// Condition compares the probability of a class with a threshold. It is true at the moment when the threshold is
// crossed, not as long as it stays crossed.
type Condition struct {
	Class     int
	Label     string
	Above     bool // fires above the threshold, else below
	Threshold float64

	armed, started bool
}

// conditionForm is LABEL, < or >, a number with or without %, and whatever follows. A label may hold blanks.
var conditionForm = regexp.MustCompile(`(?s)^\s*(.+?)\s*([<>])=?\s*([0-9.]+)\s*(%?)(?:\s+(.*))?$`)

// parseCondition reads "hot dog > 0.8 COMMAND" and returns the command too.
func parseCondition(text string, labels []string) (*Condition, string, error) {
	m := conditionForm.FindStringSubmatch(text)
	if m == nil {
		return nil, "", fmt.Errorf("%q is no condition and command, expected such as 'cat>0.8 ./feed.sh'", text)
	}
	threshold, err := strconv.ParseFloat(m[3], 64)
	if m[4] == "%" {
		threshold /= 100
	}
	if err != nil || !(threshold > 0 && threshold < 1) {
		return nil, "", fmt.Errorf("%q: the threshold is %s%s, expected a probability between 0 and 1", text, m[3], m[4])
	}
	class, err := findClass(m[1], labels)
	if err != nil {
		return nil, "", fmt.Errorf("%q: %w", text, err)
	}
	c := &Condition{Class: class, Label: labels[class], Above: m[2] == ">", Threshold: threshold}
	return c, strings.TrimSpace(m[5]), nil
}

// findClass finds a class by its label, by one of the names in a label such as "tabby, tabby cat", or by its number.
func findClass(name string, labels []string) (int, error) {
	for _, same := range []func(label string) bool{
		func(label string) bool { return label == name },
		func(label string) bool { return strings.EqualFold(label, name) },
		func(label string) bool {
			return slices.ContainsFunc(strings.Split(label, ","), func(n string) bool { return strings.EqualFold(strings.TrimSpace(n), name) })
		},
	} {
		var found []int
		for class, label := range labels {
			if same(label) {
				found = append(found, class)
			}
		}
		if len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return 0, fmt.Errorf("%q is the name of %d classes, %d and %d among them: give the number", name, len(found), found[0], found[1])
		}
	}
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(labels) {
		return n, nil
	}
	return 0, fmt.Errorf("the model has no class %q; %s", name, suggest(name, labels))
}

// suggest names labels that are like what was given, or the first ones.
func suggest(name string, labels []string) string {
	var near []string
	for _, l := range labels {
		if strings.Contains(strings.ToLower(l), strings.ToLower(name)) && len(near) < 5 {
			near = append(near, l)
		}
	}
	if len(near) > 0 {
		return "did you mean " + strings.Join(near, " or ") + "?"
	}
	return fmt.Sprintf("its %d classes are %s, ...", len(labels), strings.Join(labels[:min(len(labels), 5)], ", "))
}

// crossed takes a new probability; it is true while the threshold has been crossed and Fired was not called for it.
func (c *Condition) crossed(p float64) bool {
	beyond, back := p > c.Threshold, p < max(c.Threshold-margin, c.Threshold/2)
	if !c.Above {
		beyond, back = p < c.Threshold, p > min(c.Threshold+margin, (1+c.Threshold)/2)
	}
	if !c.started {
		// What is not there at the start has not gone away.
		c.started, c.armed = true, c.Above
	}
	if back {
		c.armed = true
	}
	return c.armed && beyond
}

// fired tells that the crossing was answered.
func (c *Condition) fired() { c.armed = false }

func (c *Condition) String() string {
	sign := "<"
	if c.Above {
		sign = ">"
	}
	return fmt.Sprintf("%s%s%g", c.Label, sign, c.Threshold)
}
