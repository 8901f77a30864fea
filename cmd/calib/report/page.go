package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

//go:embed style.css
var styleText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"style": func() template.CSS { return template.CSS(styleText) },
}).Parse(pageText))

// Write writes the page.
func Write(w io.Writer, d *Data) error {
	if err := page.Execute(w, newView(d)); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}
