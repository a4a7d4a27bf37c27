import { Injectable } from '@nestjs/common';
import { subjectId, type Caller } from '@haven/access';
import { Problem } from '@haven/api';
import { Database, withOrigin, type Origin } from '@haven/database';
import { Logger } from '@haven/runtime';
import type { FastifyRequest } from 'fastify';
import { ProjectAccessService } from '../authorization/project-access.service.js';
import type { KnownProject } from '../authorization/known-project.js';
import type { AuditedAs } from '../http/operation.js';
import { RouteTable } from '../http/route-table.service.js';
import { attemptedResource } from './attempted-resource.js';
import { FailureLimit } from './failure-limit.js';
import { isRecorded, recordAudit } from './record-audit.js';

const TOO_MANY_REQUESTS = 429;

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks and from where, and what was told of it (see currentOrigin). */
    origin?: Origin;
  }
}

/** Sees to it that every operation that changes something leaves its line in the audit trail, also when it fails. */
@Injectable()
export class OperationWatchService {
  readonly #limit = new FailureLimit();
  #audited: ReadonlyMap<string, AuditedAs> | undefined;

  constructor(
    private readonly routes: RouteTable,
    private readonly projects: ProjectAccessService,
    private readonly database: Database,
    private readonly logger: Logger,
  ) {}

  /**
   * Looks at an answer before it leaves. Attempts of callers who are known are recorded when they fail; what strangers try
   * is not, so that nobody without an account can fill the trail (failed logins are recorded where they fail).
   */
  async observe(request: FastifyRequest, status: number): Promise<void> {
    const audits = this.#auditsOf(request);
    const { caller, origin } = request;
    if (audits === undefined || origin === undefined) return;
    if (status < 400) {
      if (!isRecorded(origin)) this.logger.error('an operation left no audit record', { request_id: request.id, route: nameOf(request) });
      return;
    }
    if (caller === undefined || caller.subject.kind === 'anonymous' || status === TOO_MANY_REQUESTS) return;
    try {
      await withOrigin(origin, () => this.#recordFailure(request, caller, audits, status));
    } catch (error) {
      this.logger.error('a failed operation could not be recorded', { request_id: request.id, route: nameOf(request), status, error });
    }
  }

  async #recordFailure(request: FastifyRequest, caller: Caller, audits: AuditedAs, status: number): Promise<void> {
    const turn = this.#limit.take(subjectId(caller.subject), performance.now());
    if (turn === 'pass') return;
    if (turn === 'last') this.logger.warn('further failures of this caller are not recorded for up to a minute', { request_id: request.id, subject: subjectId(caller.subject) });
    const parameters = request.params as Readonly<Record<string, string>>;
    const project = request.project ?? (await this.#projectOf(request, parameters, caller));
    const resource = attemptedResource(request.url.split('?', 1)[0] ?? '', parameters, project?.name);
    const description = `${audits.operation} ${audits.resourceType.replaceAll('_', ' ')}: ${resource}, refused with status ${status}`;
    await this.database.transaction((transaction) => recordAudit(transaction, caller, {
      ...audits, resource, description, result: false, ...(project === undefined ? {} : { project: project.id }),
    }));
  }

  async #projectOf({ headers }: FastifyRequest, parameters: Readonly<Record<string, string>>, caller: Caller): Promise<KnownProject | undefined> {
    if (parameters['project_name'] === undefined && parameters['project_name_or_id'] === undefined) return undefined;
    try {
      return await this.projects.ofPath(parameters, headers, caller);
    } catch (error) {
      if (error instanceof Problem) return undefined; // the request names no project that can be
      throw error;
    }
  }

  #auditsOf(request: FastifyRequest): AuditedAs | undefined {
    this.#audited ??= new Map(this.routes.routes.flatMap(({ method, path, operation: { audits } }) => (
      audits === undefined || audits === 'nothing' ? [] : [[`${method} ${path}`, audits] as const])));
    return this.#audited.get(nameOf(request));
  }
}

function nameOf(request: FastifyRequest): string {
  return `${request.method} ${request.routeOptions.url ?? ''}`;
}
