// A SCIM service provider in memory, on the packages scimmy and scimmy-routers with express.
// node node_service_provider.cjs FOLDER [first]: FOLDER has them in its node_modules; the port is said on standard
// output. With "first" every page is the first one.
"use strict";
const { createRequire } = require("node:module");
const { randomUUID } = require("node:crypto");
const path = require("node:path");

const load = createRequire(path.join(path.resolve(process.argv[2]), "here.js"));
const express = load("express");
const named = (module) => module.default ?? module;
const SCIMMY = named(load("scimmy"));
const SCIMMYRouters = named(load("scimmy-routers"));

function keep(Kind, name) {
    const held = new Map();
    const key = (value) => value[name]?.toLowerCase();
    Kind.ingress((resource, data) => {
        const id = resource.id ?? randomUUID();
        const old = held.get(id);
        if (resource.id && !old) throw new SCIMMY.Types.Error(404, null, `${id} is not here`);
        for (const [other, one] of held)
            if (other !== id && key(one) === key(data))
                throw new SCIMMY.Types.Error(409, "uniqueness", `${name} is taken`);
        const now = new Date().toISOString();
        const meta = { created: old?.meta.created ?? now, lastModified: now };
        const made = { ...JSON.parse(JSON.stringify(data)), id, meta };
        held.set(id, made);
        return made;
    });
    Kind.egress((resource) => {
        if (!resource.id) return resource.filter ? resource.filter.match([...held.values()]) : [...held.values()];
        if (!held.has(resource.id)) throw new SCIMMY.Types.Error(404, null, `${resource.id} is not here`);
        return held.get(resource.id);
    });
    Kind.degress((resource) => {
        if (!held.delete(resource.id)) throw new SCIMMY.Types.Error(404, null, `${resource.id} is not here`);
    });
    SCIMMY.Resources.declare(Kind);
}

SCIMMY.Config.set({ patch: true, filter: { supported: true, maxResults: 20 } });
SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false);
keep(SCIMMY.Resources.User, "userName");
keep(SCIMMY.Resources.Group, "displayName");

const app = express();
// The routers put numbers into the query, which is lost on Express 5 (it makes the query anew): so they are put in here.
app.set("query parser", (text) => {
    const query = Object.fromEntries(new URLSearchParams(text));
    for (const name of ["startIndex", "count"]) if (name in query) query[name] = Number(query[name]);
    if (process.argv[3] === "first") delete query.startIndex;
    return query;
});
const handler = (request) => {
    if (!request.header("Authorization")?.startsWith("Bearer ")) throw new Error("A token is missing.");
    return "someone";
};
app.use("/scim", new SCIMMYRouters({ type: "bearer", handler }));
const server = app.listen(0, "127.0.0.1", () => console.log(server.address().port));
