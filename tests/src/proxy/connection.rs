//! One connection through the proxy: for each direction a thread that reads and one that writes what is due.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::Network;
use super::messages::MessageReader;

/// Both ends of one connection.
#[derive(Debug)]
pub(super) struct Connection {
    network: Arc<Network>,
    client: TcpStream,
    server: TcpStream,
    accepted: Instant,
    /// When something was last said, by either side.
    said: Mutex<Instant>,
    before_startup: AtomicBool,
    received_since_sent: AtomicBool,
    /// The server's reply is to be swallowed, and everything cut where it ends.
    awaiting_last_reply: AtomicBool,
    open_directions: Mutex<u8>,
}

/// What is on its way, and when it arrives.
enum Parcel {
    Bytes(Instant, Vec<u8>),
    /// The last bytes before everything is cut.
    LastBytes(Instant, Vec<u8>),
    End(Instant),
}

/// What becomes of bytes that a client sent.
pub(super) enum Passage {
    Pass,
    /// Only so many of them arrive.
    CutAfter(usize),
    /// The server gets them, the client never gets the reply.
    SwallowReply,
}

impl Connection {
    pub(super) fn open(network: &Arc<Network>, client: TcpStream, accepted: Instant) -> io::Result<Arc<Self>> {
        let server = TcpStream::connect(*super::lock(&network.upstream))?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        Ok(Arc::new(Self {
            network: Arc::clone(network),
            client,
            server,
            accepted,
            said: Mutex::new(accepted),
            before_startup: AtomicBool::new(true),
            // The first sending is a round trip although nothing was received before.
            received_since_sent: AtomicBool::new(true),
            awaiting_last_reply: AtomicBool::new(false),
            open_directions: Mutex::new(2),
        }))
    }

    pub(super) fn relay(self: &Arc<Self>) {
        let (to_server, for_server) = channel();
        let (to_client, for_client) = channel();
        let spawn = |run: Box<dyn FnOnce(&Self) + Send>| {
            let connection = Arc::clone(self);
            thread::spawn(move || run(&connection));
        };
        spawn(Box::new(move |connection| connection.read_client(&to_server)));
        spawn(Box::new(move |connection| connection.write_server(&for_server)));
        spawn(Box::new(move |connection| connection.read_server(&to_client)));
        spawn(Box::new(move |connection| connection.write_client(&for_client)));
    }

    /// For how long nothing was said.
    pub(super) fn silence(&self) -> Duration {
        super::lock(&self.said).elapsed()
    }

    pub(super) fn cut(&self) {
        // Either end may have gone by itself.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.server.shutdown(Shutdown::Both);
    }

    fn read_client(&self, to_server: &Sender<Parcel>) {
        let mut messages = MessageReader::of_client();
        read_all(&self.client, |bytes| {
            *super::lock(&self.said) = Instant::now();
            let (begun, anything) = messages.read(bytes);
            self.before_startup.store(messages.is_before_startup(), Ordering::SeqCst);
            let is_round_trip = anything && self.received_since_sent.swap(false, Ordering::SeqCst);
            // A TCP connection takes a round trip of its own, which a proxy on the same machine has to play.
            let earliest = self.accepted + self.network.one_way * 3;
            let due = (Instant::now() + self.network.one_way).max(earliest);
            match self.network.passage(&begun, is_round_trip, messages.is_between_messages(), bytes.len()) {
                Passage::Pass => to_server.send(Parcel::Bytes(due, bytes.to_vec())).is_ok(),
                Passage::SwallowReply => {
                    self.awaiting_last_reply.store(true, Ordering::SeqCst);
                    to_server.send(Parcel::Bytes(due, bytes.to_vec())).is_ok()
                }
                Passage::CutAfter(length) => {
                    let _ = to_server.send(Parcel::LastBytes(due, bytes[..length].to_vec()));
                    false
                }
            }
        });
        let _ = to_server.send(Parcel::End(Instant::now() + self.network.one_way));
    }

    fn read_server(&self, to_client: &Sender<Parcel>) {
        let mut messages = MessageReader::of_server();
        read_all(&self.server, |bytes| {
            *super::lock(&self.said) = Instant::now();
            // The answer to a request for encryption is one byte and no message.
            let answers_request = self.before_startup.load(Ordering::SeqCst);
            let last = if answers_request { None } else { self.network.last_answer(&messages, bytes) };
            let begun = if answers_request { Vec::new() } else { messages.read(bytes).0 };
            self.network.count_from_server(&begun, bytes.len());
            if self.awaiting_last_reply.load(Ordering::SeqCst) {
                let ended = answers_request || begun.iter().any(|message| message.ends_reply());
                if ended {
                    self.network.cut();
                }
                return !ended;
            }
            let due = Instant::now() + self.network.one_way;
            if let Some(last) = last {
                let _ = to_client.send(Parcel::LastBytes(due, bytes[..last].to_vec()));
                return false;
            }
            to_client.send(Parcel::Bytes(due, bytes.to_vec())).is_ok()
        });
        let _ = to_client.send(Parcel::End(Instant::now() + self.network.one_way));
    }

    fn write_server(&self, parcels: &Receiver<Parcel>) {
        self.write_all(&self.server, parcels, || ());
    }

    fn write_client(&self, parcels: &Receiver<Parcel>) {
        // Before the bytes are written: the client may answer before this thread goes on.
        self.write_all(&self.client, parcels, || self.received_since_sent.store(true, Ordering::SeqCst));
    }

    fn write_all(&self, mut socket: &TcpStream, parcels: &Receiver<Parcel>, before_write: impl Fn()) {
        for parcel in parcels {
            let (Parcel::Bytes(due, _) | Parcel::LastBytes(due, _) | Parcel::End(due)) = &parcel;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let written = match &parcel {
                Parcel::Bytes(_, bytes) | Parcel::LastBytes(_, bytes) => {
                    before_write();
                    socket.write_all(bytes)
                }
                Parcel::End(_) => socket.shutdown(Shutdown::Write),
            };
            if matches!(parcel, Parcel::LastBytes(..)) {
                self.network.cut();
            }
            if written.is_err() {
                self.cut();
            }
            if written.is_err() || matches!(parcel, Parcel::End(_)) {
                break;
            }
        }
        let mut open = self.open_directions.lock().unwrap_or_else(PoisonError::into_inner);
        *open -= 1;
        if *open == 0 {
            self.network.forget(self);
        }
    }
}

/// Until the end, an error, or until `take` has had enough.
fn read_all(mut socket: &TcpStream, mut take: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; 1 << 16];
    loop {
        match socket.read(&mut buffer) {
            Ok(0) => return,
            Ok(length) => {
                if !take(&buffer[..length]) {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
