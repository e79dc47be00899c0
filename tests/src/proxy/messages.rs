//! PostgreSQL's messages as they pass by.

use serde::Serialize;

const SSL_REQUEST: u32 = 80_877_103;
const GSS_ENCRYPTION_REQUEST: u32 = 80_877_104;

/// What went through a proxy, all its connections together. The names of messages are those of the protocol.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// TCP connections made by clients.
    pub connections: u64,
    /// Each time that a client sent something after it had received something since it last sent, and its first
    /// sending. What is sent without waiting in between counts once; Terminate does not count.
    pub round_trips: u64,
    /// Requests for encryption before the start-up, each a round trip.
    pub ssl_requests: u64,
    /// From clients.
    pub bytes_to_server: u64,
    /// From the server.
    pub bytes_to_client: u64,
    /// Query, of the simple protocol.
    pub query: u64,
    /// Parse.
    pub parse: u64,
    /// Bind.
    pub bind: u64,
    /// Describe.
    pub describe: u64,
    /// Execute.
    pub execute: u64,
    /// Sync.
    pub sync: u64,
    /// Flush.
    pub flush: u64,
    /// Close, of a statement or portal.
    pub close: u64,
    /// `ReadyForQuery`, from the server.
    pub ready: u64,
    /// `ErrorResponse`, from the server.
    pub errors: u64,
    /// `CommandComplete`, from the server.
    pub complete: u64,
}

impl Counters {
    pub(super) fn count_from_client(&mut self, message: Message) {
        let counter = match message {
            Message::EncryptionRequest => &mut self.ssl_requests,
            Message::Tagged(b'Q') => &mut self.query,
            Message::Tagged(b'P') => &mut self.parse,
            Message::Tagged(b'B') => &mut self.bind,
            Message::Tagged(b'D') => &mut self.describe,
            Message::Tagged(b'E') => &mut self.execute,
            Message::Tagged(b'S') => &mut self.sync,
            Message::Tagged(b'H') => &mut self.flush,
            Message::Tagged(b'C') => &mut self.close,
            _ => return,
        };
        *counter += 1;
    }

    pub(super) fn count_from_server(&mut self, message: Message) {
        let counter = match message {
            Message::Tagged(b'Z') => &mut self.ready,
            Message::Tagged(b'E') => &mut self.errors,
            Message::Tagged(b'C') => &mut self.complete,
            _ => return,
        };
        *counter += 1;
    }
}

/// The beginning of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Message {
    /// `SSLRequest` or `GSSENCRequest`; the server answers with one byte.
    EncryptionRequest,
    /// `StartupMessage` or `CancelRequest`.
    Startup,
    /// Any other one, by its first byte.
    Tagged(u8),
}

impl Message {
    pub(super) const TERMINATE: Self = Self::Tagged(b'X');

    /// Whether the server has nothing more to say after it: `ReadyForQuery`, `CopyInResponse`.
    pub(super) fn ends_reply(self) -> bool {
        matches!(self, Self::Tagged(b'Z' | b'G'))
    }
}

/// Finds where messages begin in one direction of a connection, however the bytes are cut into pieces.
#[derive(Debug, Clone)]
pub(super) struct MessageReader {
    before_startup: bool,
    last: Option<Message>,
    header: Vec<u8>,
    rest_of_message: u64,
}

impl MessageReader {
    pub(super) fn of_client() -> Self {
        Self { before_startup: true, last: None, header: Vec::new(), rest_of_message: 0 }
    }

    pub(super) fn of_server() -> Self {
        Self { before_startup: false, last: None, header: Vec::new(), rest_of_message: 0 }
    }

    /// Whether encryption may still be negotiated.
    pub(super) fn is_before_startup(&self) -> bool {
        self.before_startup
    }

    /// The messages whose headers are complete with these bytes, and whether any of the bytes belong to another message
    /// than Terminate.
    pub(super) fn read(&mut self, mut bytes: &[u8]) -> (Vec<Message>, bool) {
        let mut messages = Vec::new();
        let mut anything = false;
        while !bytes.is_empty() {
            if self.rest_of_message > 0 {
                let skipped = usize::try_from(self.rest_of_message).unwrap_or(usize::MAX).min(bytes.len());
                self.rest_of_message -= skipped as u64;
                bytes = &bytes[skipped..];
                anything = true;
                continue;
            }
            self.header.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some(message) = self.complete_header() {
                anything |= message != Message::TERMINATE;
                messages.push(message);
            }
        }
        (messages, anything)
    }

    /// A message is its tag, then its length with itself but without the tag; one before the start-up has no tag, but
    /// a code after the length.
    fn complete_header(&mut self) -> Option<Message> {
        let (message, length, included) = if self.before_startup {
            let (length, code) = (word(&self.header, 0)?, word(&self.header, 4)?);
            let encryption = [SSL_REQUEST, GSS_ENCRYPTION_REQUEST].contains(&code);
            (if encryption { Message::EncryptionRequest } else { Message::Startup }, length, 8)
        } else {
            (Message::Tagged(self.header[0]), word(&self.header, 1)?, 4)
        };
        self.before_startup &= message != Message::Startup;
        self.rest_of_message = u64::from(length).saturating_sub(included);
        self.header.clear();
        self.last = Some(message);
        Some(message)
    }

    /// Whether what was read so far ends with a message.
    pub(super) fn is_between_messages(&self) -> bool {
        self.header.is_empty() && self.rest_of_message == 0
    }

    /// Where a `CommandComplete` ends in the bytes that come next.
    pub(super) fn ends_of_answers(&self, bytes: &[u8]) -> Vec<usize> {
        let mut reader = self.clone();
        let ends_answer = |byte: &u8| {
            reader.read(std::slice::from_ref(byte));
            reader.is_between_messages() && reader.last == Some(Message::Tagged(b'C'))
        };
        let ends: Vec<bool> = bytes.iter().map(ends_answer).collect();
        (1..).zip(ends).filter(|(_, ends)| *ends).map(|(end, _)| end).collect()
    }
}

fn word(header: &[u8], start: usize) -> Option<u32> {
    Some(u32::from_be_bytes(header.get(start..start + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f\0\0\0\x0a\0\x03\0\0xyQ\0\0\0\x06a\0S\0\0\0\x04X\0\0\0\x04";

    #[test]
    fn messages_are_found_however_the_bytes_are_cut() {
        let expected = [Message::EncryptionRequest, Message::Startup, Message::Tagged(b'Q'), Message::Tagged(b'S'), Message::TERMINATE];
        for size in 1..=SESSION.len() {
            let mut reader = MessageReader::of_client();
            let found: Vec<Message> = SESSION.chunks(size).flat_map(|chunk| reader.read(chunk).0).collect();
            assert_eq!(found, expected, "in pieces of {size} bytes");
        }
    }

    #[test]
    fn answers_end_where_they_end() {
        let reply = b"T\0\0\0\x05xC\0\0\0\x06a\0C\0\0\0\x06b\0Z\0\0\0\x05I";
        assert_eq!(MessageReader::of_server().ends_of_answers(reply), [13, 20]);
        let mut reader = MessageReader::of_server();
        reader.read(&reply[..11]);
        assert_eq!(reader.ends_of_answers(&reply[11..]), [2, 9], "one has begun before");
    }

    #[test]
    fn terminate_alone_is_nothing() {
        let mut reader = MessageReader::of_server();
        assert!(!reader.read(b"X\0\0\0\x04").1);
        assert!(reader.read(b"Q\0\0\0\x06a").1);
        assert!(reader.read(b"\0").1, "the rest of a message");
    }
}
