package lookup

import (
	"freshline/serving/internal/bundle"
	"freshline/serving/internal/enforce"
)

// begin lays the answer out for a request and keeps the memory of the last one.
func (a *Answer) begin(b *bundle.Bundle, project *bundle.Project, service *bundle.Service, refs []bundle.Ref, rows int) {
	a.Bundle, a.Project, a.Service, a.Rows = b, project, service, rows
	a.Failure, a.RejectedRows, a.MaxRejected = nil, 0, 1
	if service != nil {
		a.MaxRejected = service.MaxRejected
	}
	a.Rejected = resized(a.Rejected, rows)
	clear(a.Rejected)
	a.columns = grown(a.columns, len(refs))
	a.Columns = a.Columns[:0]
	a.Views = a.Views[:0]
	for i, ref := range refs {
		column := &a.columns[i]
		column.Ref, column.Feature = ref, ref.Feature()
		column.View = a.view(ref.View)
		column.Cells = &column.cells
		column.View.Columns = append(column.View.Columns, column)
		a.Columns = append(a.Columns, column)
	}
	a.addGroups(rows)
}

// isLarge tells whether the answer's memory is too much to be kept for the next one.
func (a *Answer) isLarge() bool {
	if a.Rows*len(a.Columns) > maxPooledValues {
		return true
	}
	keys, rows := 0, 0
	every := a.groups[:cap(a.groups)] // those of earlier requests too
	for i := range every {
		keys += cap(every[i].bytes)
		rows += cap(every[i].read.Memory)
	}
	return keys > maxPooledKeys || rows > maxPooledRows
}

// forget lets go of the rows, which belong to the store's answer and may be much larger than what is asked for.
func (a *Answer) forget() {
	for i := range a.groups {
		clear(a.groups[i].read.Rows)
	}
	for _, column := range a.Columns {
		clear(column.cells.Blobs)
	}
}

// grown is resized for elements whose own memory is worth keeping.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return append(s[:cap(s)], make([]T, n-cap(s))...)
	}
	return s[:n]
}

// view returns the answer's part for a view, and adds it when it is the first feature of that view.
func (a *Answer) view(of *bundle.View) *View {
	for i := len(a.Views) - 1; i >= 0; i-- {
		if a.Views[i].View == of {
			return a.Views[i]
		}
	}
	if len(a.Views) == len(a.views) {
		a.views = append(a.views, new(View))
	}
	view := a.views[len(a.Views)]
	view.View = of
	view.Terms = a.Service.TermsFor(of)
	view.Rules = enforce.RulesFor(view.Terms)
	view.Rejected = resized(view.Rejected, a.Rows)
	clear(view.Rejected)
	view.Columns = view.Columns[:0]
	a.Views = append(a.Views, view)
	return view
}

// addGroups puts views with the same join keys into one read.
func (a *Answer) addGroups(rows int) {
	a.groups = a.groups[:0]
	for _, view := range a.Views {
		view.group = -1
		if view.View.Retired {
			continue
		}
		signature := view.View.Key.Signature()
		for g := range a.groups {
			if a.groups[g].signature == signature {
				view.group = g
			}
		}
		if view.group < 0 {
			view.group = len(a.groups)
			a.groups = grown(a.groups, view.group+1)
			g := &a.groups[view.group]
			g.signature, g.encoder, g.err = signature, view.View.Key, nil
			g.read.Project, g.read.Views, g.read.Layouts = a.Project.Name, g.read.Views[:0], g.read.Layouts[:0]
		}
		g := &a.groups[view.group]
		view.place = len(g.read.Views)
		g.read.Views = append(g.read.Views, view.View.Name)
		g.read.Layouts = append(g.read.Layouts, view.View.Layouts[view.View.Layout])
	}
	for i := range a.groups {
		read := &a.groups[i].read
		read.Partial = nil
		read.Rows = resized(read.Rows, rows*len(read.Views))
		clear(read.Rows)
		read.Missed = resized(read.Missed, rows)
		clear(read.Missed)
		read.lost = read.lost[:0]
	}
}

// place hands a view its part of its group's rows.
func (a *Answer) place(view *View) {
	if view.group < 0 {
		a.none = resized(a.none, a.Rows) // never written, so always nil rows
		view.Table.Rows, view.Table.Missed = a.none, nil
		return
	}
	read := &a.groups[view.group].read
	view.Table.Rows = read.Rows[view.place*a.Rows : (view.place+1)*a.Rows]
	view.Table.Missed = read.missedOf(view.place)
}
