--
-- PostgreSQL database dump
--

\restrict dump

-- Dumped from database version 17.10
-- Dumped by pg_dump version 17.10

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

--
-- Name: reporting; Type: SCHEMA; Schema: -; Owner: -
--

CREATE SCHEMA reporting;


--
-- Name: SCHEMA reporting; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON SCHEMA reporting IS 'For the board';


--
-- Name: pgcrypto; Type: EXTENSION; Schema: -; Owner: -
--

CREATE EXTENSION IF NOT EXISTS pgcrypto WITH SCHEMA public;


--
-- Name: EXTENSION pgcrypto; Type: COMMENT; Schema: -; Owner: -
--

COMMENT ON EXTENSION pgcrypto IS 'as the server says';


--
-- Name: address; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.address AS (
	street text,
	city character varying(80)
);


--
-- Name: document_status; Type: TYPE; Schema: public; Owner: -
--

CREATE TYPE public.document_status AS ENUM (
    'draft',
    'in review',
    'it''s published'
);


--
-- Name: TYPE document_status; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TYPE public.document_status IS 'Where a document stands';


--
-- Name: email; Type: DOMAIN; Schema: public; Owner: -
--

CREATE DOMAIN public.email AS text
	CONSTRAINT has_at CHECK ((VALUE ~~ '%@%'::text));


--
-- Name: archive(date); Type: PROCEDURE; Schema: public; Owner: -
--

CREATE PROCEDURE public.archive(IN before date)
    LANGUAGE sql
    AS $$ delete from reporting.daily where day < before $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- Name: documents; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.documents (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    number integer NOT NULL,
    owner_id bigint NOT NULL,
    reviewer_id bigint,
    title text NOT NULL,
    body text,
    status public.document_status DEFAULT 'draft'::public.document_status NOT NULL,
    previous public.document_status[],
    invoice integer,
    words integer GENERATED ALWAYS AS (length(body)) STORED,
    during tsrange
);

ALTER TABLE ONLY public.documents REPLICA IDENTITY FULL;


--
-- Name: document_count(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.document_count() RETURNS bigint
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 SELECT count(*) AS count
    FROM public.documents;
END;


--
-- Name: initials(text); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.initials(name text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $$ select upper(left(name, 1)) $$;


--
-- Name: published_count(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.published_count() RETURNS bigint
    LANGUAGE sql
    AS $$select count(*) from public.published$$;


--
-- Name: touch(); Type: FUNCTION; Schema: public; Owner: -
--

CREATE FUNCTION public.touch() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    new.updated_at := now(); -- ';' and 'quotes'
    return new;
end;
$$;


--
-- Name: Odd Names; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public."Odd Names" (
    "Id" integer NOT NULL,
    "select" text COLLATE pg_catalog."C"
);


--
-- Name: Odd Names_Id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public."Odd Names" ALTER COLUMN "Id" ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public."Odd Names_Id_seq"
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: users; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.users (
    id bigint NOT NULL,
    email public.email NOT NULL,
    name character varying(120) NOT NULL,
    home public.address,
    is_active boolean DEFAULT true NOT NULL,
    score numeric(6,2) DEFAULT 0.5,
    birthday date,
    tags text[] DEFAULT '{}'::text[] NOT NULL,
    settings jsonb DEFAULT '{"theme": "light"}'::jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp(3) without time zone DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT score_in_range CHECK (((score >= (0)::numeric) AND (score <= (100)::numeric))),
    CONSTRAINT users_name_check CHECK ((length((name)::text) > 0))
);
ALTER TABLE ONLY public.users ALTER COLUMN name SET STATISTICS 500;


--
-- Name: TABLE users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON TABLE public.users IS 'Who may log in';


--
-- Name: COLUMN users.email; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON COLUMN public.users.email IS 'It''s unique, in any case';


--
-- Name: CONSTRAINT score_in_range ON users; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON CONSTRAINT score_in_range ON public.users IS 'In percent';


--
-- Name: active_users; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.active_users AS
 SELECT id,
    name
   FROM public.users
  WHERE is_active
  WITH LOCAL CHECK OPTION;


--
-- Name: cache; Type: TABLE; Schema: public; Owner: -
--

CREATE UNLOGGED TABLE public.cache (
    key text NOT NULL,
    value bytea
);


--
-- Name: documents_number_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.documents ALTER COLUMN number ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME public.documents_number_seq
    START WITH 100
    INCREMENT BY 5
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text DEFAULT 'click'::text
)
PARTITION BY RANGE (at);


--
-- Name: events_2025; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events_2025 (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text DEFAULT 'click'::text
);


--
-- Name: events_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- Name: events_rest; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.events_rest (
    id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text DEFAULT 'click'::text
);


--
-- Name: invoice_numbers; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.invoice_numbers
    AS integer
    START WITH 1000
    INCREMENT BY 10
    MINVALUE 10
    NO MAXVALUE
    CACHE 5
    CYCLE;


--
-- Name: invoice_numbers; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.invoice_numbers OWNED BY public.documents.invoice;


--
-- Name: SEQUENCE invoice_numbers; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON SEQUENCE public.invoice_numbers IS 'Ten apart';


--
-- Name: logged_events; Type: TABLE; Schema: public; Owner: -
--

CREATE TABLE public.logged_events (
    source text
)
INHERITS (public.cache);


--
-- Name: published; Type: VIEW; Schema: public; Owner: -
--

CREATE VIEW public.published AS
 SELECT d.id,
    d.title,
    u.name AS owner
   FROM (public.documents d
     JOIN public.users u ON ((u.id = d.owner_id)))
  WHERE (d.status = 'it''s published'::public.document_status);


--
-- Name: VIEW published; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON VIEW public.published IS 'What readers see';


--
-- Name: totals; Type: MATERIALIZED VIEW; Schema: public; Owner: -
--

CREATE MATERIALIZED VIEW public.totals AS
 SELECT status,
    count(*) AS documents
   FROM public.documents
  GROUP BY status
  WITH NO DATA;


--
-- Name: users_id_seq; Type: SEQUENCE; Schema: public; Owner: -
--

CREATE SEQUENCE public.users_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


--
-- Name: users_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: -
--

ALTER SEQUENCE public.users_id_seq OWNED BY public.users.id;


--
-- Name: daily; Type: TABLE; Schema: reporting; Owner: -
--

CREATE TABLE reporting.daily (
    day date NOT NULL,
    document_id uuid NOT NULL,
    views bigint DEFAULT 0 NOT NULL
);


--
-- Name: owners; Type: VIEW; Schema: reporting; Owner: -
--

CREATE VIEW reporting.owners WITH (security_barrier='true') AS
 WITH counted AS (
         SELECT documents.owner_id,
            count(*) AS total
           FROM public.documents
          GROUP BY documents.owner_id
        )
 SELECT u.name,
    c.total
   FROM (counted c
     JOIN public.users u ON ((u.id = c.owner_id)));


--
-- Name: events_2025; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events ATTACH PARTITION public.events_2025 FOR VALUES FROM ('2025-01-01 00:00:00+00') TO ('2026-01-01 00:00:00+00');


--
-- Name: events_rest; Type: TABLE ATTACH; Schema: public; Owner: -
--

ALTER TABLE ONLY public.events ATTACH PARTITION public.events_rest DEFAULT;


--
-- Name: documents invoice; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents ALTER COLUMN invoice SET DEFAULT nextval('public.invoice_numbers'::regclass);


--
-- Name: users id; Type: DEFAULT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users ALTER COLUMN id SET DEFAULT nextval('public.users_id_seq'::regclass);


--
-- Name: Odd Names Odd Names pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public."Odd Names"
    ADD CONSTRAINT "Odd Names pkey" PRIMARY KEY ("Id");


--
-- Name: cache cache_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.cache
    ADD CONSTRAINT cache_pkey PRIMARY KEY (key);


--
-- Name: documents documents_during_excl; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_during_excl EXCLUDE USING gist (during WITH &&);


--
-- Name: documents documents_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_pkey PRIMARY KEY (id);


--
-- Name: documents documents_title_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_title_key UNIQUE (owner_id, title);


--
-- Name: users users_email_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_email_key UNIQUE (email);


--
-- Name: users users_name_birthday_key; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_name_birthday_key UNIQUE NULLS NOT DISTINCT (name, birthday);


--
-- Name: users users_pkey; Type: CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);


--
-- Name: daily daily_pkey; Type: CONSTRAINT; Schema: reporting; Owner: -
--

ALTER TABLE ONLY reporting.daily
    ADD CONSTRAINT daily_pkey PRIMARY KEY (day, document_id);


--
-- Name: daily views_not_negative; Type: CHECK CONSTRAINT; Schema: reporting; Owner: -
--

ALTER TABLE reporting.daily
    ADD CONSTRAINT views_not_negative CHECK ((views >= 0)) NOT VALID;


--
-- Name: documents_body_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX documents_body_idx ON public.documents USING gin (to_tsvector('english'::regconfig, body));


--
-- Name: documents_lower_title_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX documents_lower_title_idx ON public.documents USING btree (lower(title), owner_id) WHERE (status <> 'draft'::public.document_status);


--
-- Name: documents_owner_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX documents_owner_idx ON public.documents USING btree (owner_id, title DESC NULLS LAST) INCLUDE (status);


--
-- Name: INDEX documents_owner_idx; Type: COMMENT; Schema: public; Owner: -
--

COMMENT ON INDEX public.documents_owner_idx IS 'For the list';


--
-- Name: events_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_at_idx ON ONLY public.events USING btree (at);


--
-- Name: events_2025_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_2025_at_idx ON public.events_2025 USING btree (at);


--
-- Name: events_rest_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX events_rest_at_idx ON public.events_rest USING btree (at);


--
-- Name: totals_status_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE UNIQUE INDEX totals_status_idx ON public.totals USING btree (status);


--
-- Name: users_created_at_idx; Type: INDEX; Schema: public; Owner: -
--

CREATE INDEX users_created_at_idx ON public.users USING btree (created_at);


--
-- Name: events_2025_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.events_at_idx ATTACH PARTITION public.events_2025_at_idx;


--
-- Name: events_rest_at_idx; Type: INDEX ATTACH; Schema: public; Owner: -
--

ALTER INDEX public.events_at_idx ATTACH PARTITION public.events_rest_at_idx;


--
-- Name: users_stats; Type: STATISTICS; Schema: public; Owner: -
--

CREATE STATISTICS public.users_stats ON email, name FROM public.users;


--
-- Name: Odd Names no_delete; Type: RULE; Schema: public; Owner: -
--

CREATE RULE no_delete AS
    ON DELETE TO public."Odd Names" DO INSTEAD NOTHING;


--
-- Name: users touch; Type: TRIGGER; Schema: public; Owner: -
--

CREATE TRIGGER touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.touch();


--
-- Name: documents documents_owner_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES public.users(id) ON DELETE CASCADE;


--
-- Name: documents documents_reviewer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: -
--

ALTER TABLE ONLY public.documents
    ADD CONSTRAINT documents_reviewer_id_fkey FOREIGN KEY (reviewer_id) REFERENCES public.users(id) ON UPDATE RESTRICT ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;


--
-- Name: daily daily_document_id_fkey; Type: FK CONSTRAINT; Schema: reporting; Owner: -
--

ALTER TABLE ONLY reporting.daily
    ADD CONSTRAINT daily_document_id_fkey FOREIGN KEY (document_id) REFERENCES public.documents(id);


--
-- Name: documents; Type: ROW SECURITY; Schema: public; Owner: -
--

ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY;

--
-- Name: documents own_documents; Type: POLICY; Schema: public; Owner: -
--

CREATE POLICY own_documents ON public.documents USING ((owner_id = 1)) WITH CHECK ((status <> 'it''s published'::public.document_status));


--
-- Name: changes; Type: PUBLICATION; Schema: -; Owner: -
--

CREATE PUBLICATION changes WITH (publish = 'insert, update, delete, truncate');


--
-- Name: changes users; Type: PUBLICATION TABLE; Schema: public; Owner: -
--

ALTER PUBLICATION changes ADD TABLE ONLY public.users;


--
-- Name: TABLE published; Type: ACL; Schema: public; Owner: -
--

GRANT SELECT ON TABLE public.published TO PUBLIC;


--
-- Name: DEFAULT PRIVILEGES FOR TABLES; Type: DEFAULT ACL; Schema: reporting; Owner: -
--

ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA reporting GRANT SELECT ON TABLES TO PUBLIC;


--
-- PostgreSQL database dump complete
--

\unrestrict dump

