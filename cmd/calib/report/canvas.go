package report

import (
	"fmt"
	"html"
	"html/template"
	"image"
	"image/color"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ink is a colour by the name of its CSS class, so that the page's theme decides what it looks like.
type ink string

const (
	inkAxis ink = "axis"
	inkText ink = "text"
	inkBand ink = "band"
	inkGood ink = "good"
	inkFair ink = "fair"
	inkLow  ink = "low"
	inkPale ink = "pale"
	inkMark ink = "mark"
)

// RGBA is what a drawing without the page's style shows.
func (ink) RGBA() (r, g, b, a uint32) { return color.Black.RGBA() }

// canvas is a vg.Canvas that writes a small SVG: coordinates to a tenth of a pixel, classes for styles, and
// one path for neighbours of the same class. A length of 1 is a CSS pixel where the SVG is as wide as drawn.
type canvas struct {
	width, height float64
	body          strings.Builder
	class         string // of the path under way
	path          strings.Builder
	state         state
	stack         []state
}

// state is what Push saves. The plots here only ever turn text.
type state struct {
	ink      ink
	width    vg.Length
	rotation float64
}

// drawing makes an SVG of a plot. title says in words what it shows.
func drawing(p *plot.Plot, width, height float64, class, title string) template.HTML {
	c := &canvas{width: width, height: height}
	p.Draw(draw.NewCanvas(c, vg.Length(width), vg.Length(height)))
	c.flush()
	// The body is numbers, classes and escaped text.
	return template.HTML(fmt.Sprintf(`<svg class="%s" viewBox="0 0 %g %g" role="img" aria-label="%s">%s</svg>`,
		class, width, height, html.EscapeString(title), c.body.String()))
}

func (c *canvas) SetLineWidth(w vg.Length)            { c.state.width = w }
func (c *canvas) SetLineDash([]vg.Length, vg.Length)  {}
func (c *canvas) Rotate(radians float64)              { c.state.rotation += radians }
func (c *canvas) Translate(vg.Point)                  {}
func (c *canvas) Scale(float64, float64)              {}
func (c *canvas) DrawImage(vg.Rectangle, image.Image) {}
func (c *canvas) Push()                               { c.stack = append(c.stack, c.state) }

func (c *canvas) Pop() {
	c.state = c.stack[len(c.stack)-1]
	c.stack = c.stack[:len(c.stack)-1]
}

func (c *canvas) SetColor(col color.Color) {
	c.state.ink = inkText
	if i, ok := col.(ink); ok {
		c.state.ink = i
	}
}

func (c *canvas) Stroke(p vg.Path) {
	if c.state.width > 0 {
		c.add("s-"+string(c.state.ink), p)
	}
}

func (c *canvas) Fill(p vg.Path) { c.add("f-"+string(c.state.ink), p) }

// add draws a path of straight lines and whole circles.
func (c *canvas) add(class string, p vg.Path) {
	if class != c.class {
		c.flush()
		c.class = class
	}
	var at vg.Point
	for _, part := range p {
		x, y := short(part.Pos.X), c.y(part.Pos.Y)
		switch part.Type {
		case vg.MoveComp:
			c.path.WriteString("M" + x + " " + y)
		case vg.LineComp:
			switch {
			case y == c.y(at.Y):
				c.path.WriteString("H" + x)
			case x == short(at.X):
				c.path.WriteString("V" + y)
			default:
				c.path.WriteString("L" + x + " " + y)
			}
		case vg.ArcComp:
			r := short(part.Radius)
			fmt.Fprintf(&c.path, "M%s %sa%s %s 0 1 0 %s 0a%s %s 0 1 0 -%s 0", short(part.Pos.X-part.Radius), y, r, r, short(2*part.Radius), r, r, short(2*part.Radius))
		case vg.CloseComp:
			c.path.WriteString("Z")
		}
		at = part.Pos
	}
}

func (c *canvas) flush() {
	if c.path.Len() > 0 {
		fmt.Fprintf(&c.body, `<path class="%s" d="%s"/>`, c.class, c.path.String())
		c.path.Reset()
	}
}

func (c *canvas) FillString(f font.Face, at vg.Point, text string) {
	c.flush()
	c.class = ""
	// A rotated canvas was given a rotated point.
	sin, cos := math.Sincos(c.state.rotation)
	x := at.X*vg.Length(cos) - at.Y*vg.Length(sin)
	y := at.X*vg.Length(sin) + at.Y*vg.Length(cos)
	place := fmt.Sprintf(`x="%s" y="%s"`, short(x), c.y(y))
	if c.state.rotation != 0 {
		place += fmt.Sprintf(` transform="rotate(%.0f %s %s)"`, -c.state.rotation*180/math.Pi, short(x), c.y(y))
	}
	fmt.Fprintf(&c.body, `<text class="t-%s" %s font-size="%s">%s</text>`, c.state.ink, place, short(f.Font.Size), html.EscapeString(text))
}

// y turns a height above the bottom into one below the top.
func (c *canvas) y(v vg.Length) string { return short(vg.Length(c.height) - v) }

// short gives a length in tenths.
func short(v vg.Length) string {
	s := strconv.FormatFloat(math.Round(float64(v)*10)/10, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// fontSize is that of the plots' text, in pixels.
const fontSize = 11

// newPlot is an empty plot in the page's style.
func newPlot() *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Color, a.Tick.Color, a.Padding = inkAxis, inkAxis, 0
		a.Tick.Length = 4
		style(&a.Tick.Label)
		style(&a.Label.TextStyle)
	}
	return p
}

// style sets a font as wide as those that the page's style sheet asks for.
func style(s *text.Style) {
	s.Color = inkText
	s.Font = font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, fontSize)
}

// plotter draws in the coordinates of the data: x and y place a value.
type plotter func(c *draw.Canvas, x, y func(float64) vg.Length)

// Plot implements plot.Plotter.
func (f plotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	f(&c, x, y)
}

// box fills a rectangle between values.
func box(c *draw.Canvas, color ink, x0, y0, x1, y1 vg.Length) {
	c.SetColor(color)
	r := vg.Rectangle{Min: vg.Point{X: x0, Y: y0}, Max: vg.Point{X: x1, Y: y1}}
	c.Fill(r.Path())
}

// dot fills a circle, or where it is marked a diamond, which is told from a circle without colours. space is
// how far apart dots are.
func dot(c *draw.Canvas, color ink, x, y vg.Length, marked bool, space vg.Length) {
	c.SetColor(color)
	var p vg.Path
	if marked {
		const r = 5.5
		p.Move(vg.Point{X: x, Y: y - r})
		p.Line(vg.Point{X: x + r, Y: y})
		p.Line(vg.Point{X: x, Y: y + r})
		p.Line(vg.Point{X: x - r, Y: y})
		p.Close()
	} else {
		p.Arc(vg.Point{X: x, Y: y}, min(3, max(1.5, space/2)), 0, 2*math.Pi)
	}
	c.Fill(p)
}

// line strokes straight lines through the points.
func line(c *draw.Canvas, color ink, points ...vg.Point) {
	c.StrokeLines(draw.LineStyle{Color: color, Width: 1}, points)
}
