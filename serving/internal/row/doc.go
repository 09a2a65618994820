// Package row reads the packed rows of the online store (docs: the row, version 1)
// straight into columns. It knows bytes, layouts and dtypes; it judges nothing.
package row
