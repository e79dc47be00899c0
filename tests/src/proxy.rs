//! A network between client and server: it can be slow, it counts round trips, and it can break.
//!
//! Threads and not tasks: a timer of tokio's is a millisecond coarse, and a test's runtime may be busy with the test.

mod connection;
mod messages;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::server::{Server, at};
use connection::{Connection, Passage};
pub use messages::Counters;
use messages::{Message, MessageReader};

/// A TCP proxy on a free port of 127.0.0.1, which delays bytes without holding back the ones after them, as distance
/// does. Everything is cut and closed when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    network: Arc<Network>,
    listener: Option<JoinHandle<()>>,
}

/// Where the network is to break, counted over all connections from the moment on that [`Proxy::cut_at`] is called. All
/// connections break together; new ones work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The request of the nth round trip, from 1 on, never reaches the server.
    BeforeRequest(u64),
    /// The request of the nth round trip, from 1 on, is carried out to its end; the client gets nothing of the reply.
    BeforeReply(u64),
    /// The request of the nth round trip, from 1 on, reaches the server, which carries it out although nobody listens any
    /// more: what comes next meets it at work.
    AfterRequest(u64),
    /// Clients get so many answers (`CommandComplete`), and not one byte after them.
    AfterAnswers(u64),
    /// So many bytes of all that clients send reach the server, often not to the end of a message.
    AfterBytes(u64),
}

#[derive(Debug)]
struct Network {
    upstream: Mutex<SocketAddr>,
    one_way: Duration,
    counters: Mutex<Counters>,
    cut: Mutex<Option<Cut>>,
    connections: Mutex<Vec<Arc<Connection>>>,
    refusing: AtomicBool,
    closed: AtomicBool,
}

impl Proxy {
    /// In front of a server. Everything takes `one_way` in each direction, so a round trip takes twice that.
    ///
    /// # Errors
    /// Where the server's address can't be resolved, or there is no free port.
    pub fn start(server: &Server, one_way: Duration) -> io::Result<Self> {
        let (host, port) = server.address();
        let upstream = (host, port).to_socket_addrs()?.next();
        Self::listen(0, upstream.ok_or(io::ErrorKind::AddrNotAvailable)?, one_way)
    }

    /// On this port of 127.0.0.1 (0 is any free one), in front of whatever listens there.
    ///
    /// # Errors
    /// Where the port is taken.
    pub fn listen(port: u16, upstream: SocketAddr, one_way: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        let address = listener.local_addr()?;
        let network = Arc::new(Network {
            upstream: Mutex::new(upstream),
            one_way,
            counters: Mutex::default(),
            cut: Mutex::new(None),
            connections: Mutex::default(),
            refusing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        let accepting = Arc::clone(&network);
        let listener = thread::spawn(move || accepting.accept(&listener));
        Ok(Self { address, network, listener: Some(listener) })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same URL through this proxy.
    ///
    /// # Panics
    /// Where it is not a server's URL.
    #[must_use]
    pub fn url(&self, url: &str) -> String {
        at(url, self.address)
    }

    /// What went through so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        *lock(&self.network.counters)
    }

    /// Counts from zero again.
    pub fn reset_counters(&self) {
        *lock(&self.network.counters) = Counters::default();
    }

    /// Breaks all connections, at once and with all that is on its way. New ones work.
    pub fn cut(&self) {
        self.network.cut();
    }

    /// Breaks all connections, once, where the cut says. Replaces the cut that was planned before.
    pub fn cut_at(&self, cut: Cut) {
        *lock(&self.network.cut) = Some(cut);
    }

    /// Whether a planned cut is still to come.
    #[must_use]
    pub fn has_planned_cut(&self) -> bool {
        lock(&self.network.cut).is_some()
    }

    /// From now on new connections lead to another server.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *lock(&self.network.upstream) = upstream;
    }

    /// From now on connections on which nothing was said for so long are broken, as what is between a client and its server
    /// often does.
    pub fn forget_after(&self, silence: Duration) {
        let network = Arc::clone(&self.network);
        thread::spawn(move || {
            while !network.closed.load(Ordering::SeqCst) {
                let silent: Vec<_> = lock(&network.connections).iter().filter(|one| one.silence() >= silence).cloned().collect();
                for connection in &silent {
                    connection.cut();
                }
                thread::sleep(silence / 20);
            }
        });
    }

    /// From now on new connections are closed at once (`true`), or work again (`false`).
    pub fn refuse_connections(&self, refuse: bool) {
        self.network.refusing.store(refuse, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.network.closed.store(true, Ordering::SeqCst);
        self.network.cut();
        // Wakes the thread that waits for a connection.
        let _ = TcpStream::connect(self.address);
        if let Some(listener) = self.listener.take() {
            let _ = listener.join();
        }
        self.network.cut();
    }
}

impl Network {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.closed.load(Ordering::SeqCst) {
                return;
            }
            let Ok(client) = client else { continue };
            if self.refusing.load(Ordering::SeqCst) {
                continue;
            }
            lock(&self.counters).connections += 1;
            // Where the server can't be reached, the client is dropped, and sees its connection end.
            if let Ok(connection) = Connection::open(self, client, Instant::now()) {
                lock(&self.connections).push(Arc::clone(&connection));
                connection.relay();
            }
        }
    }

    /// Counts what a client sent, and says what becomes of it. `is_complete`: a message ends with it.
    fn passage(&self, begun: &[Message], is_round_trip: bool, is_complete: bool, length: usize) -> Passage {
        let mut counters = lock(&self.counters);
        counters.bytes_to_server += length as u64;
        counters.round_trips += u64::from(is_round_trip);
        for message in begun {
            counters.count_from_client(*message);
        }
        let mut cut = lock(&self.cut);
        let (next, passage) = match *cut {
            Some(Cut::BeforeRequest(0 | 1)) if is_round_trip => (None, Passage::CutAfter(0)),
            Some(Cut::BeforeReply(0 | 1)) if is_round_trip => (None, Passage::SwallowReply),
            Some(Cut::BeforeRequest(left)) if is_round_trip => (Some(Cut::BeforeRequest(left - 1)), Passage::Pass),
            Some(Cut::BeforeReply(left)) if is_round_trip => (Some(Cut::BeforeReply(left - 1)), Passage::Pass),
            Some(Cut::AfterRequest(left)) if is_round_trip || left == 0 => match left {
                0 | 1 if is_complete => (None, Passage::CutAfter(length)),
                0 | 1 => (Some(Cut::AfterRequest(0)), Passage::Pass),
                left => (Some(Cut::AfterRequest(left - 1)), Passage::Pass),
            },
            Some(Cut::AfterBytes(left)) => match usize::try_from(left) {
                Ok(left) if left <= length => (None, Passage::CutAfter(left)),
                _ => (Some(Cut::AfterBytes(left - length as u64)), Passage::Pass),
            },
            planned => (planned, Passage::Pass),
        };
        *cut = next;
        passage
    }

    fn count_from_server(&self, begun: &[Message], length: usize) {
        let mut counters = lock(&self.counters);
        counters.bytes_to_client += length as u64;
        for message in begun {
            counters.count_from_server(*message);
        }
    }

    /// Where the network is to break in these bytes of a server's, if it is. `reader` has not read them yet.
    fn last_answer(&self, reader: &MessageReader, bytes: &[u8]) -> Option<usize> {
        let mut cut = lock(&self.cut);
        let Some(Cut::AfterAnswers(left)) = *cut else { return None };
        let ends = reader.ends_of_answers(bytes);
        let last = usize::try_from(left).ok().and_then(|left| left.checked_sub(1)).map_or(Some(&0), |last| ends.get(last));
        *cut = last.is_none().then(|| Cut::AfterAnswers(left - ends.len() as u64));
        last.copied()
    }

    fn cut(&self) {
        for connection in lock(&self.connections).drain(..) {
            connection.cut();
        }
    }

    fn forget(&self, ended: &Connection) {
        lock(&self.connections).retain(|connection| !std::ptr::eq(Arc::as_ptr(connection), ended));
    }
}

/// A counter is right even where the thread that held it panicked.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
