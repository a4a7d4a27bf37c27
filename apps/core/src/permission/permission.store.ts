import { Injectable } from '@nestjs/common';
import { roleNumber } from '@haven/access';
import { Database } from '@haven/database';

@Injectable()
export class PermissionStore {
  constructor(private readonly database: Database) {}

  /** Whether the user is administrator of any project. */
  async administersProject(userId: number): Promise<boolean> {
    const rows = await this.database.query('SELECT 1 FROM project_role WHERE user_id = $1 AND role = $2 LIMIT 1', [userId, roleNumber('projectAdmin')]);
    return rows.length > 0;
  }
}
