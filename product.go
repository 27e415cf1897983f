package dayone

// Product is what people know a bundle of grants by: what the portal offers, and what somebody picks. It says what belongs
// together. Who gets it, who may ask for it and who has to agree is for policies to say.
type Product struct {
	ID            string // short, lower case, never changed: requests name it
	Title         string
	Domain        string // under which it stands
	Icon          string
	Owner         string // who answers for it
	Description   string
	Prerequisites []string // products that must be there, too
	Parts         []ProductPart
	At            string // products/collaboration.yaml:3
}

// ProductPart is one grant of a product.
type ProductPart struct {
	Key  Key
	Role string `json:",omitempty"`
}

// Domains are those that products stand under first, in this order. Any other may be named.
var Domains = []string{"network access", "security", "collaboration", "business", "devices"}

// ProductIcons are the pictures that a product may have.
var ProductIcons = []string{"chat", "cloud", "code", "device", "key", "lock", "mail", "network", "people", "phone", "record", "shield", "system", "video"}
