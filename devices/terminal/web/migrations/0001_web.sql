-- What cookies and forms are signed with.
CREATE TABLE web_secret (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    value BLOB NOT NULL
) STRICT;

-- A browser's carts. The token is what makes a double tap one purchase: it is kept here, with the
-- purchase, before anything is sent.
CREATE TABLE web_cart (
    token TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    purchase TEXT UNIQUE,           -- the message's id; null while the cart is open
    noted INTEGER NOT NULL DEFAULT 0, -- the customer has put the reminder away
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX web_cart_open ON web_cart (session) WHERE purchase IS NULL;
CREATE INDEX web_cart_by_session ON web_cart (session, at);

-- What lay in it, as the customer was shown it: the receipt names it so.
CREATE TABLE web_line (
    token TEXT NOT NULL REFERENCES web_cart (token) ON DELETE CASCADE,
    sku TEXT NOT NULL,
    place INTEGER NOT NULL,
    gtin TEXT NOT NULL,
    name TEXT NOT NULL,
    style TEXT NOT NULL,            -- its attributes in words
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    tax_rate INTEGER,
    PRIMARY KEY (token, sku)
) STRICT, WITHOUT ROWID;

-- Orders by their number, to know whose they are.
CREATE INDEX web_purchase_by_order ON purchase (order_id) WHERE order_id IS NOT NULL;

-- Wrong pickup codes, by browser and by address.
CREATE TABLE web_guess (
    client TEXT PRIMARY KEY,
    wrong INTEGER NOT NULL,
    at INTEGER NOT NULL,
    locked_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX web_guess_by_time ON web_guess (at);
