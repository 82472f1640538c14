// The namespaces that a server has, and how a dynamic one comes and goes.
#include <regex>
#include <stdexcept>
#include <utility>

#include "backend/socketio/client.h"
#include "backend/socketio/namespace_impl.h"

namespace limpet::socketio {

Namespace* Server::Impl::find(std::string_view name) const {
  const auto at = namespaces.find(name);
  return at == namespaces.end() ? nullptr : at->second.get();
}

Namespace& Server::Impl::make(std::string_view name, DynamicNamespace* parent) {
  auto made = Namespace::Impl::make(std::make_unique<Namespace::Impl>(*this, name, parent));
  Namespace& nsp = *made;
  namespaces.emplace(std::string(name), NamespacePtr(made.release()));
  if (name == "/") return nsp;
  const auto handlers = new_namespace;
  for (const auto& handler : handlers) guarded("new_namespace", [&] { handler(nsp); });
  return nsp;
}

// What a parent of namespaces has been asked. Its answer counts once; if it drops the question, that is a no.
class Server::Impl::Asked {
 public:
  explicit Asked(std::function<void(bool)> done) : done_(std::move(done)) {}
  Asked(const Asked&) = delete;
  ~Asked() { answer(false); }
  void answer(bool accepted) {
    if (const auto call = std::exchange(done_, {})) call(accepted);
  }

 private:
  std::function<void(bool)> done_;
};

// Parents are asked one after the other; each may take its time, until after the end of the client or of the
// server. Then no namespace is made: nobody would leave it.
void Server::Impl::ask_parent(std::size_t index, const ClientPtr& client, const std::string& name,
                              const boost::json::value& auth, const std::function<void(Namespace*)>& done) {
  if (index == parents.size()) return done(nullptr);
  DynamicNamespace& parent = parents[index];
  const auto asked = std::make_shared<Asked>([this, index, client, name, auth, done, &parent](bool accepted) {
    if (!client->open())
      done(nullptr);
    else if (accepted)
      done(accept_dynamic(name, parent));
    else
      ask_parent(index + 1, client, name, auth, done);
  });
  const Verdict verdict = [asked](bool accepted) { asked->answer(accepted); };
  try {
    parent.impl().accepts(name, auth, verdict);
  } catch (...) {
    report("namespace", std::current_exception());
    verdict(false);
  }
}

Namespace* Server::Impl::accept_dynamic(const std::string& name, DynamicNamespace& parent) {
  if (Namespace* known = find(name)) return known;
  if (options.limits.dynamic_namespaces != 0 && dynamic_count >= options.limits.dynamic_namespaces) {
    ++totals.over_limit;
    return nullptr;
  }
  ++dynamic_count;
  return &make(name, &parent);
}

void Server::Impl::left(Namespace& nsp) {
  Namespace::Impl& impl = nsp.impl();
  if (!options.cleanup_empty_child_namespaces || impl.parent == nullptr || impl.joining != 0 ||
      impl.connected != 0)
    return;
  const auto at = namespaces.find(impl.name_);
  if (at == namespaces.end() || at->second.get() != &nsp) return;
  --dynamic_count;
  // Its adapter may be what has brought us here: both stay until the turn's end.
  retire(std::exchange(at->second, nullptr), std::move(impl.adapter));
  namespaces.erase(at);
  impl.stop();
}

DynamicNamespace& Server::of(
    std::function<void(std::string_view, const boost::json::value&, Verdict)> accepts) {
  auto impl = std::make_unique<DynamicNamespace::Impl>();
  impl->accepts = std::move(accepts);
  impl->server = impl_.get();
  return impl_->parents.emplace_back(std::move(impl));
}

DynamicNamespace& Server::of_pattern(const std::string& pattern) {
  const auto fits = [regex = std::regex(pattern, std::regex::ECMAScript | std::regex::optimize)](
                        std::string_view name) { return std::regex_search(name.begin(), name.end(), regex); };
  DynamicNamespace& parent = of([fits](std::string_view name, const boost::json::value&,
                                       const Verdict& verdict) { verdict(fits(name)); });
  parent.impl().fits = fits;
  return parent;
}

Namespace& Server::Impl::make_asked_for(const std::string& name) {
  for (DynamicNamespace& parent : parents) {
    if (!parent.impl().fits || !parent.impl().fits(name)) continue;
    ++dynamic_count;
    return make(name, &parent);
  }
  return make(name, nullptr);
}

}  // namespace limpet::socketio
