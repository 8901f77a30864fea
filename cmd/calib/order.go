package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/libresnext/libresnext/internal/cli"
	"github.com/libresnext/libresnext/quant"
)

// confusion counts labelled images by their class and the float network's answer.
type confusion map[[2]int]int

func (c confusion) add(a quant.Answer) {
	if a.Label != quant.Unlabelled {
		c[[2]int{a.Label, quant.Top(a.Float)}]++
	}
}

// The figures by which labels are doubted: another order of the classes must explain most of the answers, and many more than
// the given one, on several images of each class.
const (
	explained    = 0.5
	explainsMore = 0.3
	imagesEach   = 3
	fewLabelled  = 20
)

// doubt says what is wrong with the labels, or with the float network, by its accuracy; "" for nothing.
func (c confusion) doubt(classes int, labels []string) string {
	total, right := 0, 0
	best := map[int]int{} // of each class the commonest answer
	for at, n := range c {
		class, answer := at[0], at[1]
		total += n
		if class == answer {
			right += n
		}
		if now, ok := best[class]; !ok || n > c[[2]int{class, now}] || n == c[[2]int{class, now}] && answer < now {
			best[class] = answer
		}
	}
	if total < fewLabelled || classes < 2 {
		return ""
	}
	accuracy, other := float64(right)/float64(total), 0.0
	var moved []int
	taken := map[int]bool{}
	oneToOne := true
	for class, answer := range best {
		other += float64(c[[2]int{class, answer}]) / float64(total)
		oneToOne = oneToOne && !taken[answer]
		taken[answer] = true
		if class != answer {
			moved = append(moved, class)
		}
	}
	if oneToOne && other >= explained && other >= accuracy+explainsMore && total >= imagesEach*len(best) {
		slices.Sort(moved)
		name := func(class int) string {
			if class < len(labels) {
				return fmt.Sprintf("%d (%s)", class, cli.Printable(labels[class]))
			}
			return fmt.Sprint(class)
		}
		return fmt.Sprintf("the float network is right for %s of the images, and would be for %s if the classes were in another order: it calls class %s %s; the labels or folders are probably not in the order of training",
			cli.Percent(accuracy), cli.Percent(other), name(moved[0]), name(best[moved[0]]))
	}
	if chance := 1 / float64(classes); accuracy <= chance {
		return fmt.Sprintf("the float network is right for %s of the images, and guessing for %s: the labels, the preparation or the reading of the network is wrong, whatever the int8 network does",
			cli.Percent(accuracy), cli.Percent(math.Min(1, chance)))
	}
	return ""
}
