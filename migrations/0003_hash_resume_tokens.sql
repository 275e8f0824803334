-- What a spoke comes back with is a secret: keep its SHA-256 (hex; empty once the spoke has left) and not the token.

alter table spokes rename column resume_token to resume_token_hash;
update spokes set resume_token_hash = encode(sha256(convert_to(resume_token_hash, 'UTF8')), 'hex')
  where resume_token_hash <> '';
