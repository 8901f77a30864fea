package cli

import (
	"fmt"
	"time"
)

// Bytes gives a size with a decimal unit: "562 KB", "25.1 MB".
func Bytes(n int64) string { return scaled(float64(n), "B", "KB", "MB", "GB", "TB") }

// Count gives a number, with a decimal unit where it is large: "640", "25.1 M", "2.14 G".
func Count[N int | int64](n N) string {
	if n < 100_000 {
		return fmt.Sprint(n)
	}
	return scaled(float64(n), "", "K", "M", "G", "T")
}

// scaled gives three significant digits.
func scaled(v float64, units ...string) string {
	i := 0
	for v >= 999.5 && i < len(units)-1 {
		v /= 1000
		i++
	}
	switch {
	case i == 0:
		return fmt.Sprintf("%.0f %s", v, units[0])
	case v < 9.995:
		return fmt.Sprintf("%.2f %s", v, units[i])
	case v < 99.95:
		return fmt.Sprintf("%.1f %s", v, units[i])
	}
	return fmt.Sprintf("%.0f %s", v, units[i])
}

// Seconds gives a duration for people: "0.3 s", "41 s", "3 min 20 s", "2 h 5 min".
func Seconds(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	switch {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%d s", s)
	case s < 3600:
		return fmt.Sprintf("%d min %d s", s/60, s%60)
	}
	return fmt.Sprintf("%d h %d min", s/3600, s%3600/60)
}

// Percent gives a share from 0 to 1: "99.80%".
func Percent(share float64) string { return fmt.Sprintf("%.2f%%", 100*share) }

// Times words the ratio of two positive numbers: "3.7 times smaller", or the other word where b is the larger one.
func Times(a, b float64, less, more string) string {
	const least = 1e-6
	if b <= a {
		return fmt.Sprintf("%.1f times %s", a/max(b, least), less)
	}
	return fmt.Sprintf("%.1f times %s", b/max(a, least), more)
}

// Plural gives "1 image", "2 images".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if noun == "class" {
		return fmt.Sprintf("%d classes", n)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
