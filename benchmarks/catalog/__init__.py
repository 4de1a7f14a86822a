"""Speed of the catalog: store, search, matching, RDF, HTTP; each is a program of its own."""
