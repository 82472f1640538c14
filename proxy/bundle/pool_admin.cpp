#include "proxy/bundle/pool_admin.h"

#include "proxy/bundle/servers_of_status.h"

namespace limpet::bundle {

PoolState read_pool_state(std::string_view status) try {
  PoolState out;
  each_server(boost::json::parse(status), [&out](const std::string& id, const boost::json::value& server) {
    out[id] = {std::string(server.at("state").as_string()), std::string(server.at("wanted").as_string())};
  });
  return out;
} catch (const std::exception&) {
  return {};
}

void PoolAdmin::ask(std::string_view method, std::string_view path, Ask::Done then) {
  const auto place = asks_.emplace(asks_.end());
  *place = std::make_unique<Ask>(loop_, proxy_, method, path,
                                 [this, place, then = std::move(then)](const Ask::Answer& answer) {
                                   const auto ours = std::move(*place);  // until `then` is through with it
                                   const auto done = then;
                                   asks_.erase(place);
                                   done(answer);
                                 });
  (*place)->start();
}

void PoolAdmin::set(std::string_view id, std::string_view verb, std::function<void(bool done)> then) {
  const std::string path = "/pools/" + std::string(config::Bundle::kPool) + "/servers/" + std::string(id) +
                           "/" + std::string(verb);
  ask("POST", path, [then = std::move(then)](const Ask::Answer& answer) { then(answer.status == 200); });
}

void PoolAdmin::look(std::function<void(const PoolState&)> then) {
  ask("GET", "/status", [then = std::move(then)](const Ask::Answer& answer) {
    then(answer.status == 200 ? read_pool_state(answer.body) : PoolState{});
  });
}

}  // namespace limpet::bundle
