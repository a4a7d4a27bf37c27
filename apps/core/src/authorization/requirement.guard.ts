import { createParamDecorator, Injectable, SetMetadata, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { Caller } from '@haven/access';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { admitToProject, requireLogin, requireSystem } from './admission.js';
import type { KnownProject } from './known-project.js';
import { CallerService } from '../session/caller.service.js';
import { RegistrationService } from '../session/registration.service.js';
import { ProjectAccessService } from './project-access.service.js';
import type { Requirement } from './requirement.js';

const REQUIREMENT = 'haven:requirement';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; set by the guard. */
    caller?: Caller;
    /** The project in the path; set by the guard on routes that require a project permission. */
    project?: KnownProject;
  }
}

/** What a caller needs for this route. Every route declares it; one without stops the service from starting. */
export function Requires(requirement: Requirement): MethodDecorator {
  return SetMetadata(REQUIREMENT, requirement);
}

/** The requirement that a handler declares. */
export function requirementOf(handler: object): Requirement | undefined {
  return Reflect.getMetadata(REQUIREMENT, handler) as Requirement | undefined;
}

/** The caller, as a parameter of a handler. */
export const CallerParam = createParamDecorator((_data: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<FastifyRequest>();
  if (caller === undefined) throw new Error('an open route does not know who calls');
  return caller;
});

/** The project of the path, as a parameter of a handler. */
export const ProjectParam = createParamDecorator((_data: unknown, context: ExecutionContext): KnownProject => {
  const { project } = context.switchToHttp().getRequest<FastifyRequest>();
  if (project === undefined) throw new Error('this route does not require a project permission');
  return project;
});

/** Finds out who calls and lets them in, or throws 401, 403 or, for those who may know, 404. */
@Injectable()
export class RequirementGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly callers: CallerService,
    private readonly registration: RegistrationService,
    private readonly projects: ProjectAccessService,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const requirement = this.reflector.get<Requirement | undefined>(REQUIREMENT, context.getHandler());
    if (requirement === undefined) throw new Error(`${context.getClass().name}.${context.getHandler().name} declares no requirement`);
    if (requirement.kind === 'open') return true;
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    request.caller = await this.callers.callerOf(request, reply);
    const visitor = await this.#mayRegister(requirement, request.caller);
    if (visitor) this.registration.requireVisitor(request, reply);
    else await this.#admit(requirement, request, request.caller);
    return true;
  }

  async #mayRegister(requirement: Requirement, { subject }: Caller): Promise<boolean> {
    return requirement.kind === 'system' && requirement.orRegistration === true && subject.kind === 'anonymous' && (await this.registration.isOpen());
  }

  async #admit(requirement: Exclude<Requirement, { kind: 'open' }>, request: FastifyRequest, caller: Caller): Promise<void> {
    const path = request.params as Readonly<Record<string, string>>;
    switch (requirement.kind) {
      case 'anyone': return;
      case 'authenticated': return requireLogin(caller);
      case 'system': return requireSystem(caller, requirement);
      case 'self-or-system': return requireSystem(caller, requirement, path['user_id']);
      case 'project':
        request.project = admitToProject(caller, await this.projects.ofPath(path, request.headers, caller), requirement);
    }
  }
}
