//! The other files of the chain. No other module reads files.
//!
//! A file is read again only when its length or its time of modification has changed, and a folder is looked at again
//! only after a moment: each of a thousand expansions of one compilation wants all thousand files, and a language
//! server keeps one process for days.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use migrate_core::lock::{self, Lock, LockProblem};
use proc_macro2::Span;

use crate::ancestry::Members;
use crate::sources::{self, Source, SourceList};

/// What was tried, with which file, and why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    pub verb: &'static str,
    pub path: PathBuf,
    pub cause: String,
}

impl FileError {
    fn new(verb: &'static str, path: &Path, cause: impl fmt::Display) -> Self {
        Self { verb, path: path.to_owned(), cause: cause.to_string() }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "cannot {} `{}`: {}", self.verb, self.path.display(), self.cause)
    }
}

/// One file with at least one migration or list in it.
#[derive(Debug)]
pub struct SourceFile {
    /// As the compiler would print it: relative to its current directory, or absolute.
    pub path: PathBuf,
    /// The bytes that everything below was read from, with `\n` for every line break.
    pub text: String,
    pub source: Source,
}

/// All of the folder, sorted by file name.
#[derive(Debug, Default)]
pub struct Folder {
    pub path: PathBuf,
    /// The files that speak of migrations, the one that is being compiled included.
    pub files: Vec<Arc<SourceFile>>,
    /// The files that could not be read or are not Rust.
    pub errors: Vec<FileError>,
    members: OnceLock<Members>,
    /// The list that names a migration, by its name: the index of the file, and that of the list in it.
    lists: OnceLock<BTreeMap<String, (usize, usize)>>,
}

impl Folder {
    /// The migrations of all files.
    pub fn members(&self) -> &Members {
        self.members.get_or_init(|| Members::of(&self.files))
    }

    /// Whether there is a file for the module. Where there is none, the compiler says so.
    pub fn has_module(&self, module: &str) -> bool {
        let path = self.path.join(module);
        path.with_extension("rs").is_file() || path.join("mod.rs").is_file()
    }

    /// The list that names a migration, and the file that it stands in.
    pub fn list_of(&self, migration: &str) -> Option<(&SourceFile, &SourceList)> {
        let lists = self.lists.get_or_init(|| {
            let mut lists = BTreeMap::new();
            for (i, file) in self.files.iter().enumerate() {
                for (j, name) in file.source.lists.iter().enumerate().flat_map(|(j, list)| list.names().map(move |name| (j, name))) {
                    lists.entry(name.to_owned()).or_insert((i, j));
                }
            }
            lists
        });
        let (i, j) = *lists.get(migration)?;
        let file = self.files.get(i)?;
        Some((file, file.source.lists.get(j)?))
    }
}

/// What stands in `migrations.lock`, or all that is wrong with it.
pub type LockText = Result<Lock, Vec<LockProblem>>;

/// An SQL file.
#[derive(Debug)]
pub struct Include {
    pub path: PathBuf,
    /// Its text, with `\n` for every line break.
    pub text: String,
}

/// The file that is being compiled. An editor may not tell: then it is the one file of the package that `holds` what is
/// compiled, as far as it was saved.
pub fn current_file(holds: impl Fn(&Source) -> bool) -> Option<PathBuf> {
    let told = Span::call_site().local_file();
    told.or_else(|| only_file(&Path::new(&std::env::var_os("CARGO_MANIFEST_DIR")?).join("src"), &holds))
}

/// The file below `root` that `holds` something, if there is just one.
pub fn only_file(root: &Path, holds: &impl Fn(&Source) -> bool) -> Option<PathBuf> {
    let mut found = BTreeSet::new();
    let mut folders = vec![root.to_owned()];
    while let Some(path) = folders.pop() {
        let Ok(folder) = folder(&path) else { continue };
        found.extend(folder.files.iter().filter(|file| holds(&file.source)).map(|file| file.path.clone()));
        let entries = fs::read_dir(&path).into_iter().flatten().flatten();
        folders.extend(entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())).map(|entry| entry.path()));
    }
    found.pop_first().filter(|_| found.is_empty())
}

/// What stands beside a migration file: the `*.rs` files of its folder, and the list in `../folder.rs` if the folder
/// belongs to a module of that name.
pub fn folder_of(file: &Path) -> Result<Arc<Folder>, FileError> {
    folder(parent(file))
}

/// The folder that a list's modules are files of: beside `mod.rs`, `main.rs` and `lib.rs`, below `name/` for any other
/// file, unless that file is itself the root of a crate, which only shows in where the files are.
pub fn folder_of_list(file: &Path, first_module: Option<&str>) -> Result<Arc<Folder>, FileError> {
    let beside = parent(file);
    let below = file.with_extension("");
    let is_there =
        first_module.is_some_and(|module| below.join(module).with_extension("rs").is_file() || below.join(module).join("mod.rs").is_file());
    folder(if is_there { &below } else { beside })
}

/// An SQL file, by its path relative to the file that includes it.
pub fn include(from: &Path, path: &str) -> Result<Arc<Include>, FileError> {
    let folder = from.parent().unwrap_or(Path::new(""));
    let path = folder.join(path);
    let signature = Signature::of(&path, &metadata(&path)?);
    let mut cache = cache();
    if let Some((known, include)) = cache.includes.get(&signature.path)
        && *known == signature
    {
        return Ok(Arc::clone(include));
    }
    let include = Arc::new(Include { text: read(&path)?, path });
    cache.includes.insert(signature.path.clone(), (signature, Arc::clone(&include)));
    Ok(include)
}

/// The lock beside the file of a list; `None` where there is none.
pub fn lock_beside(list: &Path) -> Result<Option<Arc<LockText>>, FileError> {
    let path = parent(list).join(lock::FILE);
    let metadata = match fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(FileError::new("read", &path, cause)),
    };
    let signature = Signature::of(&path, &metadata);
    let mut cache = cache();
    if let Some((known, lock)) = cache.locks.get(&signature.path)
        && *known == signature
    {
        return Ok(Some(Arc::clone(lock)));
    }
    let lock = Arc::new(lock::read(&read(&path)?));
    cache.locks.insert(signature.path.clone(), (signature, Arc::clone(&lock)));
    Ok(Some(lock))
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Two files with the same signature have the same content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    path: PathBuf,
    length: u64,
    modified: Option<SystemTime>,
}

impl Signature {
    fn of(path: &Path, metadata: &Metadata) -> Self {
        // A language server changes its current directory from crate to crate.
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        Self { path, length: metadata.len(), modified: metadata.modified().ok() }
    }
}

/// A file that was read: `None` if it does not speak of migrations.
type ReadFile = Result<Option<Arc<SourceFile>>, FileError>;

/// How long what is known of a folder is taken for what is there.
pub const FRESH: Duration = Duration::from_millis(100);

struct KnownFolder {
    looked_at: Instant,
    signatures: Vec<Signature>,
    /// Of the files that the migrations include.
    included: Vec<Option<Signature>>,
    folder: Arc<Folder>,
}

struct Cache {
    files: BTreeMap<PathBuf, (Signature, ReadFile)>,
    folders: BTreeMap<PathBuf, KnownFolder>,
    includes: BTreeMap<PathBuf, (Signature, Arc<Include>)>,
    locks: BTreeMap<PathBuf, (Signature, Arc<LockText>)>,
}

static CACHE: Mutex<Cache> =
    Mutex::new(Cache { files: BTreeMap::new(), folders: BTreeMap::new(), includes: BTreeMap::new(), locks: BTreeMap::new() });

fn cache() -> MutexGuard<'static, Cache> {
    // A cache that was left in the middle of an insertion holds whole entries all the same.
    CACHE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn folder(path: &Path) -> Result<Arc<Folder>, FileError> {
    let key = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut cache = cache();
    if let Some(known) = cache.folders.get(&key)
        && known.looked_at.elapsed() < FRESH
    {
        return Ok(Arc::clone(&known.folder));
    }
    let looked_at = Instant::now();
    let mut signatures = Vec::new();
    let mut errors = Vec::new();
    let mut paths = rust_files(path)?;
    paths.retain(|path| match metadata(path) {
        Ok(metadata) => {
            signatures.push(Signature::of(path, &metadata));
            true
        }
        Err(error) => {
            errors.push(error);
            false
        }
    });
    if let Some(known) = cache.folders.get_mut(&key)
        && known.signatures == signatures
        && known.included == included(&known.folder.files)
        && errors.is_empty()
    {
        known.looked_at = looked_at;
        return Ok(Arc::clone(&known.folder));
    }
    let mut files = Vec::new();
    for (path, signature) in paths.iter().zip(&signatures) {
        match cache.file(path, signature) {
            Ok(Some(file)) => files.push(file),
            Ok(None) => {}
            Err(error) => errors.push(error),
        }
    }
    let folder = Arc::new(Folder { path: path.to_owned(), files, errors, ..Folder::default() });
    let included = included(&folder.files);
    cache.folders.insert(key, KnownFolder { looked_at, signatures, included, folder: Arc::clone(&folder) });
    Ok(folder)
}

fn included(files: &[Arc<SourceFile>]) -> Vec<Option<Signature>> {
    let mut signatures = Vec::new();
    for file in files {
        for path in file.source.migrations.iter().flat_map(|migration| migration.migration.includes()) {
            let path = parent(&file.path).join(path);
            signatures.push(fs::metadata(&path).ok().map(|metadata| Signature::of(&path, &metadata)));
        }
    }
    signatures
}

impl Cache {
    fn file(&mut self, path: &Path, signature: &Signature) -> ReadFile {
        if let Some((known, file)) = self.files.get(&signature.path)
            && known == signature
        {
            return file.clone();
        }
        let file = read_source(path);
        self.files.insert(signature.path.clone(), (signature.clone(), file.clone()));
        file
    }
}

fn read_source(path: &Path) -> ReadFile {
    let text = read(path)?;
    let source = sources::parse(&text).map_err(|cause| FileError::new("parse", path, cause))?;
    Ok(source.map(|source| Arc::new(SourceFile { path: path.to_owned(), text, source })))
}

/// The files of the folder by name, then that of the module whose folder it is.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|cause| FileError::new("list", folder, cause))? {
        let entry = entry.map_err(|cause| FileError::new("list", folder, cause))?;
        let name = entry.file_name();
        let is_rust = Path::new(&name).extension().is_some_and(|extension| extension == "rs");
        if is_rust && entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
            paths.push(if folder == Path::new(".") { PathBuf::from(name) } else { folder.join(name) });
        }
    }
    paths.sort();
    if let Some(name) = folder.file_name() {
        let mut list = name.to_owned();
        list.push(".rs");
        paths.extend(Some(folder.with_file_name(list)).filter(|list| list.is_file()));
    }
    Ok(paths)
}

fn metadata(path: &Path) -> Result<Metadata, FileError> {
    fs::metadata(path).map_err(|cause| FileError::new("read", path, cause))
}

/// Line endings never change what a migration is, so they do not get in.
fn read(path: &Path) -> Result<String, FileError> {
    let bytes = fs::read(path).map_err(|cause| FileError::new("read", path, cause))?;
    let text = String::from_utf8(bytes).map_err(|cause| FileError::new("read", path, cause))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    Ok(text.replace("\r\n", "\n"))
}
