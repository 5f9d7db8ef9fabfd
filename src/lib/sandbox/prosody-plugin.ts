/** The plug-in that the sandbox loads into Prosody, as `mod_xmppctl_sandbox`. */
export const prosodyPlugin = `-- Loaded on every host and component of a sandbox.
local st = require "util.stanza";
local usermanager = require "core.usermanager";

-- Nothing leaves this machine: no other server is looked up or connected to. A server that has connected to this one
-- is answered on its own connection (XEP-0288): mod_s2s looks for it at -1, and would make a new one at -10.
module:hook("route/remote", function (event)
	local origin, stanza = event.origin, event.stanza;
	if stanza.attr.xmlns == nil and stanza.attr.type ~= "error" and stanza.attr.type ~= "result" and origin and origin.send then
		origin.send(st.error_reply(stanza, "cancel", "remote-server-not-found", "A sandbox reaches no other server"));
	end
	return true;
end, -5);

for name, password in pairs(module:get_option("sandbox_accounts", {})) do
	if not usermanager.user_exists(name, module.host) then
		assert(usermanager.create_user(name, password, module.host));
	end
end

-- COMPAT(prosody 0.12): only admins may create nodes, and there is no option for it. Here everybody may, also by
-- publishing, and owns what they created. The capabilities are shared with the PEP services, which stay as they are.
if module:get_option_boolean("sandbox_open_pubsub", false) then
	local service = module:depends("pubsub").service;
	local default = service.config.capabilities;
	local function and_create(affiliation)
		return setmetatable({ create = true }, { __index = default[affiliation] });
	end
	service.config.capabilities =
		setmetatable({ none = and_create("none"), member = and_create("member") }, { __index = default });
	local publish = service.publish;
	function service:publish(node, actor, id, item, requested_config)
		if actor ~= true and not self.nodes[node] then
			local ok, err = self:create(node, actor, requested_config);
			if not ok then return ok, err; end
		end
		return publish(self, node, actor, id, item, requested_config);
	end
end

-- For tests that must know what the server itself has stored: a line in the log for each item.
if module:get_option_boolean("sandbox_log_items", false) then
	local pubsub = require "util.pubsub";
	local new = pubsub.new;
	function pubsub.new(config)
		local service = new(config);
		local publish = service.publish;
		function service:publish(node, actor, id, ...)
			local ok, err = publish(self, node, actor, id, ...);
			if ok then module:log("info", "stored %s %s %s", config.pep_username, node, id); end
			return ok, err;
		end
		return service;
	end
end

-- COMPAT(prosody-modules 2023): mod_privilege tells everybody about their privileges, also those who have none.
module:hook("presence/initial", function (event)
	local privileges = event.origin.privileges;
	if privileges and privileges[module.host] and next(privileges[module.host]) == nil then
		event.origin.privileges = nil;
	end
end, 1000);

-- Where WebSocket and BOSH are (XEP-0156 §4).
local links = module:get_option("sandbox_host_meta");
if links then
	local function answer(content_type, body)
		return function (event)
			event.response.headers.content_type = content_type;
			event.response.headers.access_control_allow_origin = "*";
			return body;
		end
	end
	module:depends("http");
	module:provides("http", {
		name = "host-meta";
		default_path = "/.well-known";
		route = {
			["GET /host-meta"] = answer("application/xrd+xml", links.xml);
			["GET /host-meta.json"] = answer("application/json", links.json);
		};
	});
end
`;
