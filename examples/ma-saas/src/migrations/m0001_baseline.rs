//! What production looked like on the day the chain was taken over.

use migrate_runtime::migration;

/// The production schema, and the tables of the modules that only some deployments have.
#[migration(revision = "b354d12d1e7d")]
mod baseline {
    up! {
        include "../../schema/production.sql";
    }

    optional! {
        include "../../schema/optional_modules.sql";
    }

    irreversible!("it is what production looked like before this chain: there is nothing to go back to");
}
