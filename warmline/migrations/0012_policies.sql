-- Insurance policies as insurers list them, the people they name, and what was given for them.
-- Names, identity numbers, days of birth and phone numbers are kept under seal alone.

CREATE TABLE insurance_policies (
    tenant          text NOT NULL,
    id              text NOT NULL,
    sponsor         text NOT NULL,
    number          text NOT NULL,
    product         text NOT NULL,
    status          text NOT NULL CHECK (status IN ('in_force', 'surrendered', 'lapsed', 'ended')),
    purchased_on    date NOT NULL, -- days in China
    effective_on    date NOT NULL,
    cooling_off_end date,
    ends_on         date,          -- the last day insured; NULL: for life
    digest          bytea NOT NULL, -- of all that the list says: tells what is unchanged
    imported_at     timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    due_at          timestamptz,   -- when somebody has to look at it again
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, sponsor, number),
    CHECK (ends_on >= effective_on)
);
CREATE INDEX insurance_policies_due ON insurance_policies (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE policy_people (
    tenant       text NOT NULL,
    policy       text NOT NULL,
    id           text NOT NULL,
    role         text NOT NULL CHECK (role IN ('policyholder', 'insured', 'contact')),
    relation     text,          -- of an insured person to the policyholder
    speaks_for   text,          -- whose contact this is
    place        integer NOT NULL, -- in the list
    details      bytea NOT NULL,
    phone        bytea,
    phone_index  bytea,
    id_index     bytea,
    birth_index  bytea,
    PRIMARY KEY (tenant, policy, id),
    FOREIGN KEY (tenant, policy) REFERENCES insurance_policies (tenant, id),
    CHECK ((role = 'insured') = (relation IS NOT NULL)),
    CHECK ((role = 'contact') = (speaks_for IS NOT NULL)),
    CHECK ((phone IS NULL) = (phone_index IS NULL))
);
CREATE INDEX policy_people_by_phone ON policy_people (tenant, phone_index)
    WHERE phone_index IS NOT NULL;
CREATE INDEX policy_people_by_id_number ON policy_people (tenant, id_index) WHERE role = 'insured';
CREATE INDEX policy_people_by_birth ON policy_people (tenant, birth_index) WHERE role = 'insured';

-- One voucher per policy, program, policy year and number: whoever issues, it is issued once.
CREATE TABLE policy_vouchers (
    tenant      text NOT NULL,
    policy      text NOT NULL,
    program     text NOT NULL,
    policy_year integer NOT NULL CHECK (policy_year > 0),
    number      integer NOT NULL CHECK (number > 0),
    voucher     text NOT NULL,
    given_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant, policy, program, policy_year, number),
    UNIQUE (tenant, voucher),
    FOREIGN KEY (tenant, policy) REFERENCES insurance_policies (tenant, id),
    FOREIGN KEY (tenant, voucher) REFERENCES vouchers (tenant, id)
);

-- Callers who gave an insured person's data, and so may order for them.
CREATE TABLE proven_insured (
    tenant    text NOT NULL,
    caller    text NOT NULL,
    policy    text NOT NULL,
    insured   text NOT NULL,
    proven_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, caller, policy, insured),
    FOREIGN KEY (tenant, policy) REFERENCES insurance_policies (tenant, id)
);

-- Which policy and which insured person an order rests on; its caller stands in the order.
CREATE TABLE order_entitlements (
    tenant    text NOT NULL,
    order_id  text NOT NULL,
    policy    text NOT NULL,
    insured   text NOT NULL,
    known_by  text NOT NULL,
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, order_id),
    FOREIGN KEY (tenant, order_id) REFERENCES orders (tenant, id),
    FOREIGN KEY (tenant, policy) REFERENCES insurance_policies (tenant, id)
);

-- Each import that was carried out: who, when, how much.
CREATE TABLE policy_imports (
    tenant    text NOT NULL,
    id        text NOT NULL,
    by        text NOT NULL,
    at        timestamptz NOT NULL,
    added     integer NOT NULL,
    changed   integer NOT NULL,
    unchanged integer NOT NULL,
    rejected  integer NOT NULL,
    PRIMARY KEY (tenant, id)
);

-- What the programs gave for policies when all policies were last looked at.
CREATE TABLE policy_covers (
    tenant text NOT NULL PRIMARY KEY,
    digest text NOT NULL
);
