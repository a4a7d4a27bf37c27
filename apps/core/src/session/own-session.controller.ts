import { Controller, Delete, Get, Param, Req } from '@nestjs/common';
import type { Caller } from '@haven/access';
import { OwnSession, Problem, SessionId } from '@haven/api';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { CallerParam, Requires } from '../authorization/requirement.guard.js';
import { authenticated } from '../authorization/requirement.js';
import { Operation } from '../http/operation.js';
import { Responds, RespondsNothing } from '../http/response.interceptor.js';
import { OwnSessionService } from './own-session.service.js';

/** Where one's own account is logged in. */
@Controller('api/v2.0/users/current/sessions')
export class OwnSessionController {
  constructor(private readonly sessions: OwnSessionService) {}

  @Get()
  @Operation({ id: 'listOwnSessions', tag: 'user', summary: 'The browser sessions of the caller', refuses: ['PRECONDITION'], extension: true })
  @Requires(authenticated)
  @Responds(z.array(OwnSession))
  list(@CallerParam() caller: Caller, @Req() { session }: FastifyRequest): Promise<OwnSession[]> {
    return this.sessions.list(userOf(caller), session);
  }

  @Delete()
  @Operation({
    id: 'endOtherSessions', tag: 'user', summary: 'End all browser sessions of the caller but the current one', refuses: ['PRECONDITION'], extension: true,
    audits: { operation: 'logout', resourceType: 'user' },
  })
  @Requires(authenticated)
  @RespondsNothing()
  endOthers(@CallerParam() caller: Caller, @Req() { session }: FastifyRequest): Promise<void> {
    return this.sessions.endOthers(caller, userOf(caller), session);
  }

  @Delete(':session_id')
  @Operation({
    id: 'endOwnSession', tag: 'user', summary: 'End one browser session of the caller', refuses: ['NOT_FOUND', 'PRECONDITION'], extension: true,
    audits: { operation: 'logout', resourceType: 'user' },
  })
  @Requires(authenticated)
  @RespondsNothing()
  end(@CallerParam() caller: Caller, @Param('session_id', { schema: SessionId }) id: string): Promise<void> {
    return this.sessions.end(caller, userOf(caller), id);
  }
}

function userOf({ subject }: Caller): { readonly id: number; readonly name: string } {
  if (subject.kind !== 'user') throw new Problem('PRECONDITION', 'only users have sessions');
  return subject;
}
