import type { Queryable, Transaction } from '@haven/database';
import type { WebhookTargetType } from '@haven/execution';
import type { DeliveredEvent } from '@haven/messages';
import type { DeletedArtifact, ToldEvent } from './notifications.js';
import type { PlannedUpTo, Slice } from './webhook-slice.js';

/** Tags of one deleted artifact that are read: as many as are told. */
const MOST_TAGS = 100;

/** A policy that is in force. */
export interface PolicyRow {
  readonly id: number;
  /** Undefined for one of the whole installation. */
  readonly projectId: number | undefined;
  /** Of the whole installation: patterns of the names of projects; none for all. */
  readonly projects: readonly string[];
  readonly eventTypes: readonly string[];
  readonly targetTypes: readonly WebhookTargetType[];
}

export interface ProjectRow {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
}

/** An event that waits to be told, with its place in the order of all events. */
export interface WaitingEvent {
  readonly place: string;
  readonly event: DeliveredEvent;
  /** How far it is planned already; undefined when nothing is. */
  readonly planned: PlannedUpTo | undefined;
}

/** The policies of these projects, and of the whole installation, that are in force. */
export async function policiesFor(database: Queryable, projectIds: readonly number[]): Promise<PolicyRow[]> {
  const rows = await database.query<{ id: number; project_id: number | null; projects: string[]; event_types: string[]; target_types: WebhookTargetType[] }>(
    `SELECT w.id, w.project_id, w.projects, w.event_types,
       ARRAY(SELECT t.target->>'type' FROM jsonb_array_elements(w.targets) WITH ORDINALITY AS t (target, place) ORDER BY t.place) AS target_types
     FROM webhook_policy w LEFT JOIN project p ON p.id = w.project_id
     WHERE w.enabled AND (w.project_id IS NULL OR (w.project_id = ANY($1::int[]) AND p.deleted_at IS NULL)) ORDER BY w.id`,
    [projectIds],
  );
  return rows.map((row) => ({ id: row.id, projectId: row.project_id ?? undefined, projects: row.projects, eventTypes: row.event_types, targetTypes: row.target_types }));
}

/** Projects by their ids, those too that are gone. */
export async function projectsById(database: Queryable, ids: readonly number[]): Promise<ReadonlyMap<number, ProjectRow>> {
  const rows = await database.query<ProjectRow>('SELECT id, name, public FROM project WHERE id = ANY($1::int[])', [ids]);
  return new Map(rows.map((row) => [row.id, row]));
}

/** Whether deliveries of one of these events are missing. */
export async function someUnplanned(database: Queryable, eventIds: readonly string[]): Promise<boolean> {
  const rows = await database.query(
    `SELECT FROM unnest($1::uuid[]) AS event (id) WHERE NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = event.id)
       OR EXISTS (SELECT FROM webhook_plan p WHERE p.event_id = event.id) LIMIT 1`, [eventIds]);
  return rows.length > 0;
}

export interface WaitingWanted {
  /** Nothing that happened after all of these. */
  readonly eventIds: readonly string[];
  readonly subjects: readonly string[];
  readonly types: readonly ToldEvent[];
  /** A place; nothing up to it. */
  readonly after: string;
  readonly limit: number;
  /** Of what the events say, as JSON; the first may be larger. */
  readonly bytes: number;
}

interface WaitingRow {
  readonly id: string;
  readonly event_id: string;
  readonly type: ToldEvent;
  readonly payload: DeliveredEvent['payload'];
  readonly actor: string;
  readonly origin: DeliveredEvent['origin'];
  readonly created_at: Date;
  readonly part: number | null;
  readonly policy_id: number;
  readonly target: number;
  readonly found: number;
}

export interface Waiting {
  readonly events: readonly WaitingEvent[];
  /** Whether there are no more. */
  readonly all: boolean;
}

/** Events about the subjects that nobody has handled yet and of which deliveries are missing, in the order in which they happened. */
export async function waitingEvents(transaction: Transaction, { eventIds, subjects, types, after, limit, bytes }: WaitingWanted): Promise<Waiting> {
  const rows = await transaction.query<WaitingRow>(
    `WITH waiting AS (
       SELECT o.id, o.event_id, o.type, o.payload, o.actor, o.origin, o.created_at, p.part, p.policy_id, p.target
       FROM outbox o LEFT JOIN webhook_plan p ON p.event_id = o.event_id
       WHERE o.handled_at IS NULL AND o.id > $4 AND o.id <= (SELECT max(b.id) FROM outbox b WHERE b.handled_at IS NULL AND b.event_id = ANY($1::uuid[]))
         AND o.type = ANY($2::text[]) AND coalesce(o.payload->>'repository', o.payload->>'name', o.payload->>'project') = ANY($3::text[])
         AND (p.event_id IS NOT NULL OR NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = o.event_id)) ORDER BY o.id LIMIT $5)
     SELECT * FROM (
       SELECT *, count(*) OVER ()::int AS found, sum(octet_length(payload::text)) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM waiting) AS w
     WHERE before IS NULL OR before < $6 ORDER BY id`,
    [eventIds, types, subjects, after, limit, bytes],
  );
  return { events: rows.map(waitingEventOf), all: rows.length < limit && rows.length === (rows[0]?.found ?? 0) };
}

function waitingEventOf({ id, event_id: eventId, type, payload, actor, origin, created_at: createdAt, part, policy_id: policyId, target }: WaitingRow): WaitingEvent {
  return { place: id, event: { id: eventId, type, payload, actor, origin, createdAt }, planned: part === null ? undefined : { part, policyId, target } };
}

/** When the repositories were made, those that are there. */
export async function repositoryTimes(transaction: Transaction, names: readonly string[]): Promise<ReadonlyMap<string, Date>> {
  const rows = await transaction.query<{ name: string; created_at: Date }>('SELECT name, created_at FROM repository WHERE name = ANY($1::text[]) AND deleted_at IS NULL', [names]);
  return new Map(rows.map((row) => [row.name, row.created_at]));
}

/** A deleted repository of which artifacts are told. */
export interface DeletedRepository {
  readonly eventId: string;
  /** Its entry in the bin. */
  readonly entry: string;
  /** How many artifacts are told of at most. */
  readonly most: number;
}

/** What is told of a deleted repository. */
export interface DeletedArtifacts {
  readonly artifacts: readonly DeletedArtifact[];
  /** Whether it had more. */
  readonly more: boolean;
}

/**
 * The artifacts that went with deleted repositories, by their events, but for what hung on others of them; those that were
 * written down when the event was begun, for an event that was. Of at least one repository, and then of as many as have no
 * more than `limit` artifacts altogether.
 */
export async function deletedArtifacts(transaction: Transaction, repositories: readonly DeletedRepository[], limit: number): Promise<ReadonlyMap<string, DeletedArtifacts>> {
  if (repositories.length === 0) return new Map();
  const begun = await transaction.query<{ event_id: string; artifacts: DeletedArtifact[] }>(
    'SELECT event_id, artifacts FROM webhook_plan WHERE event_id = ANY($1::uuid[]) AND artifacts IS NOT NULL', [repositories.map(({ eventId }) => eventId)]);
  const found = new Map<string, DeletedArtifacts>(begun.map(({ event_id: eventId, artifacts }) => [eventId, { artifacts, more: false }]));
  const others = repositories.filter(({ eventId }) => !found.has(eventId));
  for (const [eventId, artifacts] of await binnedArtifacts(transaction, others, limit)) found.set(eventId, artifacts);
  return found;
}

/** One more of each repository than is told of, so that it is known whether there are more. */
async function binnedArtifacts(transaction: Transaction, repositories: readonly DeletedRepository[], limit: number): Promise<ReadonlyMap<string, DeletedArtifacts>> {
  const least = Math.max(0, ...repositories.map(({ most }) => most + 1)) + 1;
  const read = Math.max(limit, least);
  const rows = await transaction.query<{ place: number; digest: string; tags: string[] | null }>(
    `WITH entry AS MATERIALIZED (
       SELECT e.id, w.most, w.place, (
         SELECT jsonb_object_agg(digest, names) FROM (
           SELECT t.tag->>'digest' AS digest, (array_agg(t.tag->>'name' ORDER BY t.place))[1:$3] AS names FROM jsonb_array_elements(e.tags) WITH ORDINALITY AS t (tag, place) GROUP BY 1) AS tagged) AS tags
       FROM unnest($1::bigint[], $2::int[]) WITH ORDINALITY AS w (id, most, place) JOIN bin_entry e ON e.id = w.id)
     SELECT entry.place::int - 1 AS place, gone.digest, entry.tags->gone.digest AS tags FROM entry CROSS JOIN LATERAL (
       SELECT m.id, m.digest FROM bin_manifest bm JOIN manifest m ON m.id = bm.manifest_id
       WHERE bm.entry_id = entry.id AND NOT EXISTS (SELECT FROM accessory a WHERE a.manifest_id = m.id)
         AND (coalesce(jsonb_exists(entry.tags, m.digest), false) OR NOT EXISTS (
           SELECT FROM manifest_reference r JOIN bin_manifest parent ON parent.entry_id = entry.id AND parent.manifest_id = r.parent_id
           WHERE r.repository_id = m.repository_id AND r.child_digest = m.digest))
       ORDER BY m.id LIMIT entry.most + 1) AS gone
     ORDER BY entry.place, gone.id LIMIT $4`,
    [repositories.map(({ entry }) => entry), repositories.map(({ most }) => most), MOST_TAGS, read],
  );
  // Where the reading ended, there may be more of that repository, and of all behind it.
  const complete = rows.length < read ? repositories.length : (rows.at(-1)?.place ?? 0);
  return new Map(repositories.slice(0, complete).map(({ eventId, most }, place): [string, DeletedArtifacts] => {
    const artifacts = rows.filter((row) => row.place === place).map(({ digest, tags }) => ({ digest, tags: tags ?? [] }));
    return [eventId, { artifacts: artifacts.slice(0, most), more: artifacts.length > most }];
  }));
}

/** Writes down how far the events are planned: these completely, and that one as far as was begun. */
export async function notePlans(transaction: Transaction, finished: readonly string[], begun: Slice['begun'], artifacts: readonly DeletedArtifact[] | undefined): Promise<void> {
  if (finished.length > 0) await transaction.execute('DELETE FROM webhook_plan WHERE event_id = ANY($1::uuid[])', [finished]);
  if (begun === undefined) return;
  const { eventId, upTo: { part, policyId, target } } = begun;
  await transaction.execute(
    `INSERT INTO webhook_plan (event_id, part, policy_id, target, artifacts) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (event_id) DO UPDATE SET part = EXCLUDED.part, policy_id = EXCLUDED.policy_id, target = EXCLUDED.target, updated_at = now()`,
    [eventId, part, policyId, target, artifacts === undefined ? null : JSON.stringify(artifacts)],
  );
}
