// Package bench measures the index of package policy against other engines, in one process, on the same people and the
// same conditions. It is a module of its own, so that nothing here becomes a dependency of the product.
//
// Each engine is used in the fastest form that we know of it. If you know a faster one, send it: the test holds that it
// answers as the others do.
package bench
