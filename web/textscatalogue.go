package web

// Texts of the catalogue.
const textNotNameable = "policies may not name it: catalog/ of their folder does not list it"
