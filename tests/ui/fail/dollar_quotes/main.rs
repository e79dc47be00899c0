use migrate_runtime::migration;

/// A function's body in dollar quotes.
#[migration(revision = "1")]
mod baseline {
    up! {
        create function touch() returns trigger language plpgsql as $$
            begin
                new.updated_at := now();
                return new;
            end
        $$;
    }
    irreversible!("the function has no body that could be restored");
}

fn main() {}
