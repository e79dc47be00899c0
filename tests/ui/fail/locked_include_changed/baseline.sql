create schema archive;
-- It was `staging`.
create schema stages;
