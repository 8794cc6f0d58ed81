// Decides every cell for every role, with AWS's own authorization data: JSON on stdin, on stdout the allowed cells.
//
// in:  {"account": whose resources they are, "roles": {name: policy document},
//       "keyPolicies": {ARN of a KMS key: its policy, without which IAM allows nothing on it},
//       "cells": [[action, resource, {context key: value or values}]]}
// out: {name: [indexes of the cells that are allowed]}
import { readFileSync } from 'node:fs'
import { createValidatedPolicy, validateIdentityPolicy } from '@cloud-copilot/iam-policy'
import { runSimulation, runUnsafeSimulation } from '@cloud-copilot/iam-simulate'

const { account, roles, keyPolicies, cells } = JSON.parse(readFileSync(0, 'utf8'))

async function isAllowed(role, policy, [action, resource, context]) {
  const simulation = {
    request: {
      principal: `arn:aws:sts::${account}:assumed-role/${role}/session`,
      action,
      resource: { resource, accountId: account },
      contextVariables: context
    },
    identityPolicies: [{ name: role, policy }],
    resourcePolicy: keyPolicies[resource],
    serviceControlPolicies: [],
    resourceControlPolicies: []
  }
  const answer = await runSimulation(simulation, {})
  if (answer.resultType !== 'error') return answer.overallResult === 'Allowed'
  // A function's alias and its version look alike. Neither has condition keys that the policies use.
  if (answer.errors.message !== 'multiple.resource.types')
    throw new Error(`${action} on ${resource}: ${JSON.stringify(answer.errors)}`)
  const raw = { ...simulation, identityPolicies: [{ name: role, policy: roles[role] }] }
  return runUnsafeSimulation(raw, {}) === 'Allowed'
}

// Without a statement that names the action, IAM denies it: those cells, nine of ten, need no simulation.
function named({ Action, NotAction }) {
  const patterns = NotAction ? ['*'] : [Action].flat()
  const regexes = patterns.map((each) => each.replace(/[.]/g, '\\.').replaceAll('*', '.*').replaceAll('?', '.'))
  return new RegExp(`^(${regexes.join('|')})$`, 'i')
}

const allowed = {}
for (const [role, document] of Object.entries(roles)) {
  const statements = document.Statement.map(named)
  const policy = createValidatedPolicy(document, validateIdentityPolicy)
  allowed[role] = []
  for (const [index, cell] of cells.entries())
    if (statements.some((each) => each.test(cell[0])) && (await isAllowed(role, policy, cell))) allowed[role].push(index)
}
process.stdout.write(JSON.stringify(allowed))
