import { Injectable } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { Problem, type Metadata, type MetadataReq } from '@haven/api';
import type { KnownProject } from '../authorization/known-project.js';
import { ProjectChangeService, type SettingsChange } from './project-change.service.js';
import { metadataOf, readOneSetting, requireSettable } from './project-metadata.js';
import { NO_PROJECT } from './project-sentences.js';
import { ProjectStore, type LockedProject } from './project.store.js';

/** The settings of a project one by one. The visibility is one that every project has. */
@Injectable()
export class ProjectMetadataService {
  constructor(
    private readonly store: ProjectStore,
    private readonly changes: ProjectChangeService,
  ) {}

  async list(project: KnownProject): Promise<Metadata> {
    const row = await this.store.find(project.id, 0);
    if (row === undefined) throw new Problem('NOT_FOUND', NO_PROJECT);
    return metadataOf(row.public, row.metadata, row.retentionId);
  }

  async get(project: KnownProject, name: string): Promise<Metadata> {
    const settings = await this.list(project);
    const value = Object.hasOwn(settings, name) ? settings[name] : undefined;
    if (value === undefined) throw missing(name);
    return { [name]: value };
  }

  async add(project: KnownProject, caller: Caller, request: MetadataReq): Promise<void> {
    const [key, value] = readOneSetting(request);
    await this.changes.changeSettings(project, caller, (current) => {
      if (has(current, key)) throw new Problem('CONFLICT', `the project has the setting ${key} already; change it with PUT`);
      return settingTo(key, value);
    });
  }

  async update(project: KnownProject, caller: Caller, name: string, request: MetadataReq): Promise<void> {
    const [key, value] = readOneSetting(request);
    if (key !== name) throw new Problem('BAD_REQUEST', 'the setting in the body must be the one in the address');
    await this.changes.changeSettings(project, caller, (current) => {
      if (!has(current, key)) throw missing(key);
      return settingTo(key, value);
    });
  }

  /** A project without the setting `public` is private. */
  async delete(project: KnownProject, caller: Caller, name: string): Promise<void> {
    requireSettable(name);
    await this.changes.changeSettings(project, caller, (current) => {
      if (!has(current, name)) throw missing(name);
      return name === 'public' ? { public: false, metadata: {} } : { metadata: {}, removed: [name] };
    });
  }
}

function settingTo(key: string, value: string): SettingsChange {
  return key === 'public' ? { public: value === 'true', metadata: {} } : { metadata: { [key]: value } };
}

function has({ metadata }: LockedProject, key: string): boolean {
  return key === 'public' || typeof metadata[key] === 'string';
}

function missing(name: string): Problem {
  return new Problem('NOT_FOUND', `the project does not have the setting ${name.slice(0, 64)}`);
}
