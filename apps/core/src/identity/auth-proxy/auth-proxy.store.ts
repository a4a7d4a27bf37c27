import { Injectable } from '@nestjs/common';
import { Database } from '@haven/database';

@Injectable()
export class AuthProxyStore {
  constructor(private readonly database: Database) {}

  /** The id of the account with this identity. */
  async find(identity: string): Promise<number | undefined> {
    const [row] = await this.database.query<{ id: number }>(`SELECT id FROM haven_user WHERE source = 'http' AND external_id = $1 AND deleted_at IS NULL`, [identity]);
    return row?.id;
  }

  /**
   * Gives an account that was made for a name, and in which nobody has ever logged in, to the one who comes with that
   * name first. Nothing happens when the identity has an account already.
   */
  async adopt(nameId: string, identity: string): Promise<void> {
    await this.database.execute(
      `UPDATE haven_user SET external_id = $2 WHERE source = 'http' AND external_id = $1 AND last_login_at IS NULL AND deleted_at IS NULL
         AND NOT EXISTS (SELECT 1 FROM haven_user o WHERE o.source = 'http' AND o.external_id = $2 AND o.deleted_at IS NULL)`,
      [nameId, identity],
    );
  }
}
