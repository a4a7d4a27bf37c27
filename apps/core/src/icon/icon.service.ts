import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type Icon } from '@haven/api';
import { parseDigest } from '@haven/oci';
import { BlobMissing, BlobStorage } from '@haven/storage';
import { visibleProjects, type VisibleProjects } from '../authorization/role-sql.js';
import { builtInIcon } from './built-in-icons.js';
import { IconStore } from './icon.store.js';
import { pictureSize } from './picture-size.js';
import { pictureType } from './picture-type.js';

/** Bytes of a pushed icon at most. */
const LARGEST = 1024 * 1024;
/** A small file can unpack to a picture that no browser has the memory for. */
const MOST_PIXELS = 2_000_000;
const NO_ICON = 'there is no such icon';

/** The pictures beside artifacts: our own for the types we know, and those that artifacts bring along. */
@Injectable()
export class IconService {
  constructor(
    private readonly store: IconStore,
    private readonly storage: BlobStorage,
  ) {}

  /** A digest alone opens nothing: a pushed icon is shown to those who may read an artifact that uses it. */
  async get(caller: Caller, text: string): Promise<Icon> {
    const digest = parseDigest(text);
    if (digest === undefined) throw new Problem('BAD_REQUEST', 'the icon in the address is not a digest like sha256:…');
    const own = builtInIcon(digest);
    if (own !== undefined) return { 'content-type': 'image/png', content: own.toString('base64') };
    if (!(await this.store.isUsedIn(digest, projectsWithArtifacts(caller)))) throw new Problem('NOT_FOUND', NO_ICON);
    const bytes = await this.#read(digest);
    const type = pictureType(bytes);
    if (type === undefined || !isShowable(bytes, type)) throw new Problem('NOT_FOUND', NO_ICON);
    return { 'content-type': type, content: bytes.toString('base64') };
  }

  async #read(digest: NonNullable<ReturnType<typeof parseDigest>>): Promise<Buffer> {
    try {
      const { size = 0 } = (await this.storage.stat(digest)) ?? {};
      if (size > LARGEST) throw new Problem('NOT_FOUND', NO_ICON);
      return await this.storage.readAll(digest, LARGEST);
    } catch (error) {
      if (error instanceof BlobMissing) throw new Problem('NOT_FOUND', NO_ICON, { cause: error });
      throw error;
    }
  }
}

function isShowable(bytes: Buffer, type: string): boolean {
  const size = pictureSize(bytes, type);
  return size !== undefined && size.width > 0 && size.height > 0 && size.width * size.height <= MOST_PIXELS;
}

/** Every role may read artifacts; a robot needs to have been given just that. */
function projectsWithArtifacts(caller: Caller): VisibleProjects {
  const { robot } = caller;
  if (robot === undefined) return visibleProjects(caller);
  return visibleProjects({ ...caller, robot: { ...robot, grants: robot.grants.filter((grant) => grant.kind === 'project' && grant.resource === 'artifact' && grant.action === 'read') } });
}
