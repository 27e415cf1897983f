// Package web shows the product: the portal and the JSON API, server-rendered HTML with a little htmx and live runs over
// SSE. It must not decide anything and knows no database and no vendor: flow is its only door to data.
//
// A page is a handler that asks flow, a view struct of plain values, and a template that composes components; the gallery
// renders the same templates from made-up data. Reading order: web.go (routes), guard.go (what every request passes),
// access.go (who is in), errors.go (what went wrong, in words), render.go and view.go (components), then a file a page.
package web
