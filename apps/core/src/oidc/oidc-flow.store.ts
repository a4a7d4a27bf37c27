import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

const SWEPT_AT_ONCE = 100;

/** What a login keeps on the way: which ones came back already, who has yet to choose a name, what to log out with. */
@Injectable()
export class OidcFlowStore {
  constructor(private readonly database: Database) {}

  /** Marks a login as come back; false when it was already. */
  async spend(state: string, seconds: number): Promise<boolean> {
    await this.database.execute(`DELETE FROM oidc_spent_state WHERE state_hash IN (SELECT state_hash FROM oidc_spent_state WHERE expires_at < now() LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`);
    const spent = await this.database.execute(
      'INSERT INTO oidc_spent_state (state_hash, expires_at) VALUES ($1, now() + make_interval(secs => $2)) ON CONFLICT DO NOTHING',
      [hashOf(state), seconds],
    );
    return spent === 1;
  }

  async keepPerson(id: string, sealedPerson: string, seconds: number): Promise<void> {
    await this.database.execute(`DELETE FROM oidc_onboarding WHERE id_hash IN (SELECT id_hash FROM oidc_onboarding WHERE expires_at < now() LIMIT ${SWEPT_AT_ONCE} FOR UPDATE SKIP LOCKED)`);
    await this.database.execute(
      'INSERT INTO oidc_onboarding (id_hash, person, expires_at) VALUES ($1, $2, now() + make_interval(secs => $3))',
      [hashOf(id), sealedPerson, seconds],
    );
  }

  async findPerson(id: string): Promise<string | undefined> {
    const [row] = await this.database.query<{ person: string }>('SELECT person FROM oidc_onboarding WHERE id_hash = $1 AND expires_at > now()', [hashOf(id)]);
    return row?.person;
  }

  async forgetPerson(id: string): Promise<void> {
    await this.database.execute('DELETE FROM oidc_onboarding WHERE id_hash = $1', [hashOf(id)]);
  }

  /** Keeps what the provider wants back when this session ends. Nothing happens when it has ended meanwhile. */
  async keepIdToken(sessionId: string, sealedIdToken: string): Promise<void> {
    await this.database.execute('INSERT INTO oidc_session (id_hash, id_token) SELECT id_hash, $2 FROM session WHERE id_hash = $1', [hashOf(sessionId), sealedIdToken]);
  }

  async findIdToken(sessionIdHash: Buffer): Promise<string | undefined> {
    const [row] = await this.database.query<{ id_token: string }>('SELECT id_token FROM oidc_session WHERE id_hash = $1', [sessionIdHash]);
    return row?.id_token;
  }
}

function hashOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
