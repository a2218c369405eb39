//! What nodes publish comes back unchanged, nothing else is believed, and the manual
//! lists all of it.

mod divergence;
mod evidence;
mod lines;
mod made;
mod manual;
mod missing;
mod score;
mod sync_rule;
