import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What a directory or single sign-on says of the accounts that it keeps. */
export class ExternalAccounts1763700000005 implements MigrationInterface {
  readonly name = 'ExternalAccounts1763700000005';

  async up(runner: QueryRunner): Promise<void> {
    // source_admin: the source makes the person a system administrator. source_place: where the entry is (the DN).
    // source_confirmed_at: when the source last said that the account may log in; NULL once it said no.
    // source_checked_at: when it was last asked without a login, whatever came of it.
    await runner.query(`ALTER TABLE haven_user ADD COLUMN source_admin boolean NOT NULL DEFAULT false,
      ADD COLUMN source_place text, ADD COLUMN source_confirmed_at timestamptz, ADD COLUMN source_checked_at timestamptz,
      ADD CONSTRAINT haven_user_local_source CHECK (source <> 'local' OR NOT source_admin)`);
    await runner.query(`CREATE INDEX haven_user_source ON haven_user (source, source_confirmed_at) WHERE source <> 'local' AND deleted_at IS NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE haven_user DROP COLUMN source_admin, DROP COLUMN source_place, DROP COLUMN source_confirmed_at, DROP COLUMN source_checked_at');
  }
}
