-- A voucher belongs to the policy year it was given for, which is known by its first day: years are
-- counted otherwise once an insurer corrects the day a policy takes effect.
ALTER TABLE policy_vouchers ADD COLUMN year_starts_on date;
UPDATE policy_vouchers AS given
SET year_starts_on = (policy.effective_on + make_interval(years => given.policy_year - 1))::date
FROM insurance_policies AS policy
WHERE policy.tenant = given.tenant AND policy.id = given.policy;
ALTER TABLE policy_vouchers
    ALTER year_starts_on SET NOT NULL,
    DROP CONSTRAINT policy_vouchers_pkey,
    ADD PRIMARY KEY (tenant, policy, program, year_starts_on, number);
COMMENT ON COLUMN policy_vouchers.policy_year IS 'As years were counted when it was given.';
